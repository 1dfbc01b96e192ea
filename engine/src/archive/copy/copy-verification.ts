import type { Random } from '../../kernel/clock.ts';
import type { Finding } from '../../kernel/finding.ts';
import { checkData, type DataRead } from '../../repository/check/data.ts';
import { Ledger } from '../../repository/check/ledger.ts';
import { choosePacks } from '../../repository/check/pack-choice.ts';
import type { ReadData } from '../../repository/check/report.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { PackContents } from '../../repository/pack-contents.ts';

export interface VerifyOptions {
  readonly random: Random;
  readonly threads?: number;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Reads packs back that were written since the index had `packsBefore`, as a check reads them. */
export async function verifySample(
  indexed: IndexedRepository,
  packsBefore: number,
  part: ReadData,
  options: VerifyOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly read: DataRead }> {
  const written = indexed.index.packs.slice(packsBefore);
  if (part === 'none' || written.length === 0) return { findings: [], read: { packs: 0, bytes: 0 } };
  const contents = PackContents.of(indexed.index);
  const packs = written.map((id, at) => {
    const number = packsBefore + at;
    return { id, number, size: contents.sizeOf(number) };
  });
  const ledger = new Ledger();
  const { random, threads, signal, onProgress } = options;
  const read = await checkData(indexed, contents, choosePacks(packs, part, random), ledger, {
    ...(threads === undefined ? {} : { threads }),
    signal,
    onProgress: ({ done, total = 0 }) => onProgress(done, total),
  });
  ledger.close();
  return { findings: ledger.findings, read };
}
