import { packLengthFor } from '../../format/pack.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { mapConcurrently } from '../../kernel/concurrency.ts';
import type { Finding } from '../../kernel/finding.ts';
import { type Id, isId, shortId } from '../../kernel/id.ts';
import { findAffectedPaths } from '../check/affected-paths.ts';
import { type BlobKey, blobKey } from '../check/ledger.ts';
import type { Affected } from '../check/report.ts';
import { Index } from '../index.ts';
import { IndexedRepository } from '../indexed-repository.ts';
import type { Repository } from '../repository.ts';
import { type BlobSource, repositorySource, type WantedBlob } from './blob-source.ts';
import { damageOf } from './damage.ts';
import type { IndexSurvey } from './index-survey.ts';
import { surveyNeeds, type TreeLoader, treeLoader } from './need-survey.ts';
import { type DamagedPack, surveyPacks } from './pack-survey.ts';
import { Wholeness } from './wholeness.ts';

/** What a repository's blobs look like, and who has those that it lost. */
export interface BlobSurvey {
  readonly snapshots: readonly StoredSnapshot[];
  readonly wholeness: Wholeness;
  /** Packs to be replaced. */
  readonly damagedPacks: readonly DamagedPack[];
  /** Lost blobs that snapshots need, by the source that has them. */
  readonly found: readonly { readonly source: BlobSource; readonly blobs: readonly WantedBlob[] }[];
  readonly plan: BlobRepairPlan;
}

export interface BlobRepairPlan {
  /** Packs that are replaced: with what is intact of them, `damaged` blobs less. Sizes in bytes. */
  readonly damagedPacks: readonly {
    readonly id: Id;
    readonly size: number;
    readonly intact: number;
    readonly damaged: number;
  }[];
  /** Blobs that snapshots need and that no pack holds whole. */
  readonly wanted: number;
  /** How many of those each source has. */
  readonly found: readonly { readonly source: string; readonly blobs: number }[];
  /** Those that nobody has. */
  readonly lost: readonly WantedBlob[];
  /** What the lost ones cost. */
  readonly affected: Affected;
  /** Snapshots that cannot be read: nobody knows what they need. */
  readonly findings: readonly Finding[];
}

export interface BlobSurveyOptions {
  /** Asked in this order. What is learnt about the repository is given to each before it is asked. */
  readonly sources: readonly SourceMaker[];
  /** Read every pack, not only those that look wrong from outside. */
  readonly readData: boolean;
  readonly threads?: number | undefined;
  /** What cannot be read, other than because of what it holds, ends the survey instead of counting as lost. */
  readonly strict?: boolean | undefined;
  readonly onProgress?: ((phase: 'trees' | 'packs', done: number, total?: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Makes a source for one repair. */
export type SourceMaker = (known: KnownRepository) => BlobSource;

/** What a source may want to know of the repository that it is to help. */
export interface KnownRepository {
  readonly chunkerPolynomial: string;
  readonly snapshots: readonly StoredSnapshot[];
  readonly loadTree: TreeLoader;
  /** A data blob's length in bytes, where any index told it. */
  lengthOf(id: Id): number | undefined;
}

/**
 * Finds out which blobs are lost and who has them. First packs are read, then trees, since only then it is known which
 * trees must be had from elsewhere; then the packs in which a tree turned out to be bad.
 */
export async function surveyBlobs(survey: IndexSurvey, options: BlobSurveyOptions): Promise<BlobSurvey> {
  const { indexed, sizes, packs } = survey;
  const { repository, index } = indexed;
  const { signal, onProgress, threads, strict } = options;
  const { snapshots, findings } = await readableSnapshots(repository, signal);
  const wholeness = new Wholeness(index);
  const readPacks = (ids: readonly Id[]) =>
    surveyPacks(survey, ids, wholeness, {
      threads,
      strict,
      signal,
      onPack: (done, total) => onProgress?.('packs', done, total),
    });

  const first = options.readData
    ? [...packs.keys()]
    : [...packs.values()]
        .filter((pack) => packLengthFor(pack.blobs) !== sizes.get(pack.id))
        .map(({ id }) => id);
  const damagedPacks = await readPacks(first);

  const lengths = lengthsIn(survey);
  const known: KnownRepository = {
    chunkerPolynomial: repository.config.chunkerPolynomial,
    snapshots,
    loadTree: (id) => treeLoader(indexed, wholeness, { sources, strict, signal })(id),
    lengthOf: (id) => index.lengthOf('data', id) ?? lengths(id),
  };
  const sources: readonly BlobSource[] = [
    markedSource(survey),
    ...options.sources.map((make) => make(known)),
  ];
  const needs = await surveyNeeds(indexed, snapshots, wholeness, {
    sources,
    strict,
    signal,
    onTree: (done) => onProgress?.('trees', done),
  });
  const read = new Set(first);
  damagedPacks.push(...(await readPacks([...needs.suspects].filter((id) => !read.has(id)))));

  const wanted = new Map(needs.wanted);
  for (const { type, id } of damagedPacks.flatMap(({ damaged }) => damaged)) {
    if (needs.isNeeded(type, id) && !wholeness.isWhole(type, id)) wanted.set(blobKey(type, id), { type, id });
  }
  const { found, lost } = await ask(sources, wanted, signal);
  return {
    snapshots,
    wholeness,
    damagedPacks,
    found,
    plan: {
      damagedPacks: damagedPacks.map(({ id, size, intact, damaged }) => ({
        id,
        size,
        intact: intact.length,
        damaged: damaged.length,
      })),
      wanted: wanted.size,
      found: found.map(({ source, blobs }) => ({ source: source.name, blobs: blobs.length })),
      lost: [...lost.values()],
      affected: await affectedBy(lost.keys(), snapshots, known.loadTree),
      findings,
    },
  };
}

async function readableSnapshots(
  repository: Repository,
  signal: AbortSignal,
): Promise<{ snapshots: StoredSnapshot[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const { backend } = repository;
  const found = await mapConcurrently(
    backend.list('snapshot', signal),
    backend.connections,
    async ({ name }) => {
      if (!isId(name)) return [];
      try {
        return [await repository.loadSnapshot(name, signal)];
      } catch (error) {
        findings.push({
          severity: 'error',
          code: 'snapshot.damaged',
          subject: `snapshot ${shortId(name)}`,
          message: `The snapshot ${name} cannot be read: ${damageOf(error).message}`,
          hint: 'Nobody knows what it needs. A copy of the repository may have the same file.',
        });
        return [];
      }
    },
  );
  return { snapshots: found.flat().sort((a, b) => Date.parse(a.time) - Date.parse(b.time)), findings };
}

/** What waits for its deletion is still there: needed again, it is stored again. */
function markedSource({ indexed: { repository }, marked }: IndexSurvey): BlobSource {
  const index = Index.empty();
  for (const pack of marked.values()) index.addPack(pack);
  return repositorySource(new IndexedRepository(repository, index), 'packs marked for deletion');
}

/** Of blobs in packs that are gone: the index still tells how long they were. */
function lengthsIn({ plan }: IndexSurvey): (id: Id) => number | undefined {
  const gone = Index.empty();
  for (const pack of plan.gone) gone.addPack(pack);
  return (id) => gone.lengthOf('data', id);
}

async function ask(
  sources: readonly BlobSource[],
  wanted: ReadonlyMap<BlobKey, WantedBlob>,
  signal: AbortSignal,
): Promise<{
  found: { source: BlobSource; blobs: readonly WantedBlob[] }[];
  lost: Map<BlobKey, WantedBlob>;
}> {
  const lost = new Map(wanted);
  const found: { source: BlobSource; blobs: readonly WantedBlob[] }[] = [];
  for (const source of sources) {
    if (lost.size === 0) break;
    const blobs = await source.find([...lost.values()], signal);
    for (const { type, id } of blobs) lost.delete(blobKey(type, id));
    if (blobs.length > 0) found.push({ source, blobs });
  }
  return { found, lost };
}

async function affectedBy(
  lost: Iterable<BlobKey>,
  snapshots: readonly StoredSnapshot[],
  loadTree: TreeLoader,
): Promise<Affected> {
  const finding = new Set([0]);
  const byKey = new Map([...lost].map((key) => [key, finding] as const));
  const affected = await findAffectedPaths(
    snapshots,
    byKey,
    async (id) => (await loadTree(id)) ?? { nodes: [] },
  );
  return affected.get(0) ?? { total: 0, paths: [] };
}
