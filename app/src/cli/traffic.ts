import type { Reading } from '@holdfast/engine';

/** What a command asked of the place where the repository is, each try counted; some places charge for it. */
export interface Traffic {
  readonly requests: { readonly [call in keyof Reading]: number };
  /** Of files, without what a protocol adds. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export function trafficOf(reading: Reading): Traffic {
  const sum = (call: keyof Reading, what: 'calls' | 'bytes'): number =>
    Object.values(reading[call]).reduce((total, count) => total + count[what], 0);
  return {
    requests: {
      save: sum('save', 'calls'),
      load: sum('load', 'calls'),
      stat: sum('stat', 'calls'),
      list: sum('list', 'calls'),
      remove: sum('remove', 'calls'),
    },
    bytesSent: sum('save', 'bytes'),
    bytesReceived: sum('load', 'bytes'),
  };
}
