import { forgetSnapshots, type Id, isFailure } from '@holdfast/engine';
import { mergeFiles, planRollUps, type RollUp } from './roll-up-plan.ts';
import { type SliceWriter, writeSlice } from './slice.ts';
import { listSlices, type StoredSlice } from './slice-list.ts';

export interface RollUpSummary {
  readonly saved: number;
  readonly forgotten: number;
}

/**
 * Rolls up what is due. A roll-up refers to the content that its slices refer to: nothing is read again, and only a
 * tree and a snapshot are written. The finer slices are forgotten once the roll-up is saved, never before. When somebody
 * else has the repository just then, they stay until the next time.
 */
export async function rollUp(
  writer: SliceWriter,
  keepTags: (slices: readonly StoredSlice[]) => string[],
): Promise<RollUpSummary> {
  const { repository, index, place, clock, signal } = writer;
  // Snapshots first: what they refer to is in an index that is read afterwards, whoever writes meanwhile.
  const snapshots = await repository.loadSnapshots(signal);
  const slices = await listSlices(await index.current(signal), snapshots, place, signal);
  const facts = slices.map((slice) => ({ ...slice, names: slice.files.map(({ name }) => name.toString()) }));
  const byId = new Map(slices.map((slice) => [slice.id, slice]));
  let saved = 0;
  const needless: Id[] = [];
  for (const plan of planRollUps(facts, clock.now())) {
    const members = plan.slices.flatMap((id) => byId.get(id) ?? []);
    if (plan.kept === undefined) {
      await saveRollUp(writer, plan, members, keepTags(members));
      saved += 1;
    }
    needless.push(...plan.slices.filter((id) => id !== plan.kept));
  }
  return { saved, forgotten: await forget(writer, needless) };
}

async function saveRollUp(
  writer: SliceWriter,
  plan: RollUp,
  members: readonly StoredSlice[],
  tags: readonly string[],
): Promise<void> {
  const files = members.flatMap((slice) => slice.files.map((node) => ({ name: node.name.toString(), node })));
  const time = Math.max(...members.map((slice) => slice.time));
  await writeSlice(writer, { level: plan.level, time, tags: () => tags }, async () =>
    mergeFiles(files).map(({ node }) => node),
  );
}

async function forget(writer: SliceWriter, ids: readonly Id[]): Promise<number> {
  const { repository, clock, retryLock, signal } = writer;
  if (ids.length === 0) return 0;
  try {
    return (await forgetSnapshots(repository, ids, { clock, retryLockFor: retryLock, signal })).length;
  } catch (error) {
    if (isFailure(error, 'repository.locked')) return 0;
    throw error;
  }
}
