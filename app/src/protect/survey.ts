import { statfs } from 'node:fs/promises';
import { type Backend, type FileType, parseAddress, type Repository } from '@holdfast/engine';
import type { RepositorySize } from '../catalog/records.ts';
import { formatBytes, formatCounted } from '../cli/format.ts';
import type { RepositoryAccess } from '../cli/repository-options.ts';
import { openAccess } from '../operations/repository-access.ts';
import type { RepositoryPolicy } from '../policy/model.ts';
import { accessFor, type Duty, repositoryNamed } from './hands.ts';
import { pointsOf } from './point-of.ts';
import { windowsIn } from './see-windows.ts';
import type { RepositorySurvey, TaskOutcome } from './task.ts';

/** Looks what is really in a repository: points, windows, size. All that is known of it elsewhere is a memory of this. */
export async function surveyRepository(
  duty: Duty,
  name: string,
): Promise<TaskOutcome & { readonly survey: RepositorySurvey }> {
  const { order, hands } = duty;
  const repository = repositoryNamed(order.policy, name);
  const access = await accessFor(duty, repository);
  const at = hands.machine.clock.now();
  const { points, size } = await lookInside(duty, repository, access);
  const windows = await windowsIn(duty, repository.name, access, points);
  return {
    incomplete: false,
    added: [],
    removed: [],
    survey: { repository: repository.name, at, points, windows, size: { ...size, at } },
    result: {
      snapshots: [],
      bytes: size.bytes,
      added: 0,
      findings: [],
      summary: `${formatCounted(points.length, 'point')}, ${formatBytes(size.bytes)}`,
    },
  };
}

async function lookInside(
  { hands, work }: Duty,
  { name, capacity }: RepositoryPolicy,
  access: RepositoryAccess,
) {
  await using opened = await openAccess(access, { intent: 'read', ...work }, hands.machine);
  const { repository, signal } = opened;
  const points = pointsOf(name, await repository.loadSnapshots(signal));
  const bytes = await bytesOf(repository.backend, signal);
  const free = await freeBytes(access, repository, bytes, capacity);
  const size: Omit<RepositorySize, 'at'> = {
    repository: name,
    bytes,
    ...(free === undefined ? {} : { free }),
  };
  return { points, size };
}

/** Packs are nearly all of it. */
const COUNTED: readonly FileType[] = ['pack', 'index', 'snapshot'];

async function bytesOf(backend: Backend, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  for (const type of COUNTED) for await (const { size } of backend.list(type, signal)) bytes += size;
  return bytes;
}

/** A disk of this machine tells itself; elsewhere the policy may say how much there is. */
async function freeBytes(
  { location }: RepositoryAccess,
  { backend }: Repository,
  bytes: number,
  capacity: number | undefined,
): Promise<number | undefined> {
  const left = capacity === undefined ? undefined : Math.max(0, capacity - bytes);
  if (parseAddress(location).scheme !== 'local') return left;
  const { bavail, bsize } = await statfs(backend.location);
  return Math.min(bavail * bsize, left ?? Number.POSITIVE_INFINITY);
}
