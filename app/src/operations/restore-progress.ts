import type { RestoreWatch } from '@holdfast/engine';
import type { Work } from '../cli/command-frame.ts';

/** Shows how far a restore is, whatever is being restored. */
export function showRestore(progress: Work['progress'], watch: RestoreWatch, startedAt: number): void {
  progress.watch(() => {
    const counts = watch.counts();
    return {
      phase: 'Restoring',
      startedAt,
      files: counts.filesDone,
      totalFiles: counts.filesExpected,
      bytes: counts.bytesDone,
      totalBytes: counts.bytesExpected,
      errors: counts.problems,
      items: [],
    };
  });
}
