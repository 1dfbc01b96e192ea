/** Bounds of a chunk in bytes: restic's own, so that no blob of ours is one that stock tools never met. */
export const MIN_CHUNK = 512 * 1024;
export const MAX_CHUNK = 8 * 1024 * 1024;

/**
 * Says where a file is cut into blobs. Files are read straight into `memory`; positions are offsets in it.
 * Not reentrant: one chunker belongs to one worker.
 *
 * To cut a file: fill `memory` from the start, ask for cuts until the answer is 0, move what is left to the start,
 * read on behind it, and ask again; `final` from the moment the file has ended.
 */
export interface Chunker {
  /** Where to read files into. Its capacity is at least one chunk of the largest size. */
  readonly memory: Uint8Array;
  /**
   * The end of the chunk that starts at `start`, in (start, end]; 0 when more input is needed to tell, or when there
   * is no input at all. With `final`, `end` is the end of the file, and so the last chunk's.
   */
  cut(start: number, end: number, final: boolean): number;
}
