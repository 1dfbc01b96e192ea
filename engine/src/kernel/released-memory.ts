/**
 * Gives a large output's memory back at once: waiting for the garbage collector would cost its weight. Small ones are
 * not worth the call, and may share a buffer with others. The bytes are gone for everybody.
 */
export function releaseMemory(output: Uint8Array): void {
  const { buffer } = output;
  const isOwner = buffer instanceof ArrayBuffer && buffer.byteLength === output.length;
  if (isOwner && output.length >= RELEASED_FROM) buffer.transfer(0);
}

const RELEASED_FROM = 64 * 1024;
