import type { CheckResult } from '../cli/render/check-findings.ts';

/** What a check of the structure tells of a sound repository with three snapshots. */
export function checkOf(changes: Partial<CheckResult> = {}): CheckResult {
  return {
    sound: true,
    findings: [],
    checked: {
      keys: 1,
      snapshots: 3,
      indexFiles: 1,
      packs: 1200,
      blobs: 40_000,
      trees: 2000,
      packsRead: 0,
      bytesRead: 0,
    },
    unchecked: [],
    unused: { blobs: 0, bytes: 0 },
    milliseconds: 900,
    ...changes,
  };
}
