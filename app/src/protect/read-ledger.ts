import { dumpPath, type IndexedRepository, type StoredSnapshot } from '@holdfast/engine';
import type { OpenFinding, Run } from '../catalog/records.ts';
import { LEDGER_FILES, type Ledger } from './record.ts';

/** What a ledger's snapshot holds. */
export async function readLedger(
  indexed: IndexedRepository,
  snapshot: StoredSnapshot,
  signal: AbortSignal,
): Promise<Ledger> {
  const read = (path: string) => readText(indexed, snapshot, path, signal);
  return {
    policy: await read(LEDGER_FILES.policy),
    runs: parseLines<Run>(await read(LEDGER_FILES.runs)),
    findings: parseLines<OpenFinding>(await read(LEDGER_FILES.findings)),
  };
}

async function readText(
  indexed: IndexedRepository,
  { tree }: StoredSnapshot,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const { bytes } = await dumpPath(indexed, tree, path, { onProblem: () => undefined, signal });
  return Buffer.concat(await Array.fromAsync(bytes)).toString();
}

/** Written by ourselves and authenticated by the repository's key: its shape is ours. */
function parseLines<Item>(text: string): Item[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Item);
}
