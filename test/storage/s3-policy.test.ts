import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { contentOf } from '../scenes/tree-arbitrary.ts';
import { treeFacts } from '../scenes/tree-facts.ts';
import { type LimitedEnvironment, limitedTo } from '../servers/assume-role.ts';
import { minio, startMinio } from '../servers/minio.ts';
import type { RunningS3 } from '../servers/s3-server.ts';
import { testWith } from '../servers/test-with.ts';
import type { CommandLine } from '../stories/command-line.ts';
import { adminOf } from './s3-scene.ts';
import { growTree, userOf } from './s3-user.ts';

/* The policies that the guide prints, applied as they stand there to a real server. */

const withMinio = testWith(minio);
const GUIDE = readFileSync(path.join(import.meta.dirname, '../../docs/guide/s3.md'), 'utf8');
const [SAVES_ONLY = '', MAINTAINS = ''] = [...GUIDE.matchAll(/^```json\n(.*?)^```/gms)].map(
  (match) => match[1],
);
/** The bucket that the guide's policies name. */
const BUCKET = 'backup';

/** All that whoever has taken a machine over could try to remove. */
const PRECIOUS = ['config', 'keys/', 'snapshots/', 'index/', 'data/'];

interface Scene extends AsyncDisposable {
  readonly s3: RunningS3;
  readonly admin: S3Client;
  /** Somebody who may do what a policy says, and a repository of theirs. */
  as(policy: string, folder: string): Promise<{ user: CommandLine; keys: LimitedEnvironment; tree: string }>;
}

async function startScene(program: string): Promise<Scene> {
  await using opening = new AsyncDisposableStack();
  const s3 = opening.use(await startMinio(program));
  const admin = adminOf(s3.endpoint);
  opening.defer(() => admin.destroy());
  await admin.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const opened = opening.move();
  return {
    s3,
    admin,
    async as(policy, folder) {
      const keys = await limitedTo(policy, s3);
      const repository = { HOLDFAST_REPOSITORY: `s3:${s3.endpoint}/${BUCKET}/${folder}` };
      const user = opened.use(userOf({ environment: keys }, repository));
      return { user, keys, tree: growTree(user) };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function expectAll(user: CommandLine, commands: readonly string[]): Promise<void> {
  for (const words of commands) {
    const { exitCode, stderr } = await user.run(words.split(' '));
    expect({ words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }
}

async function keysIn({ admin }: Scene, folder: string): Promise<string[]> {
  const { Contents = [] } = await admin.send(
    new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `${folder}/` }),
  );
  return Contents.map(({ Key = '' }) => Key);
}

withMinio('the policy for a machine that saves is enough to save, check and restore', async ({ server }) => {
  await using scene = await startScene(server.path);
  const { user, tree } = await scene.as(SAVES_ONLY, 'host-1');
  await expectAll(user, [
    'repo init',
    'files backup tree',
    'files backup tree',
    'repo check --read-data',
    'files restore latest --target back',
  ]);
  expect(treeFacts(path.join(user.directory, 'back', 'tree'))).toEqual(treeFacts(tree));
  // Its own locks it has removed.
  expect((await keysIn(scene, 'host-1')).filter((key) => key.includes('/locks/'))).toEqual([]);
});

withMinio('with it nothing that was saved can be removed, by us or by anybody', async ({ server }) => {
  await using scene = await startScene(server.path);
  const { user, keys } = await scene.as(SAVES_ONLY, 'host-1');
  await expectAll(user, ['repo init', 'files backup tree', 'files backup tree']);
  const before = await keysIn(scene, 'host-1');
  const refused = await user.run(['repo', 'forget', 'latest']);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('backend.denied') });
  using thief = thiefWith(keys, scene.s3.endpoint);
  for (const precious of PRECIOUS) {
    const key = before.find((one) => one.startsWith(`host-1/${precious}`));
    expect(key).toBeDefined();
    await expect(thief.remove(key ?? '')).rejects.toMatchObject({ name: 'AccessDenied' });
  }
  const after = await keysIn(scene, 'host-1');
  expect(before.filter((key) => !after.includes(key))).toEqual([]);
});

withMinio('the policy for a machine that maintains is enough to forget and prune', async ({ server }) => {
  await using scene = await startScene(server.path);
  const { user, tree } = await scene.as(MAINTAINS, 'host-2');
  await expectAll(user, ['repo init', 'files backup tree']);
  writeFileSync(path.join(tree, 'large'), contentOf(9_000_000, 2));
  // In one pack that goes in several parts.
  writeFileSync(path.join(tree, 'larger'), contentOf(70_000_000, 3));
  const before = await keysIn(scene, 'host-2');
  await expectAll(user, [
    'files backup tree --pack-size 66 --read-concurrency 1',
    'repo forget --keep-last 1 --group-by host',
    'repo prune --instant-delete --max-unused 0',
    'repo check --read-data',
    'files restore latest --target back',
  ]);
  expect(treeFacts(path.join(user.directory, 'back', 'tree'))).toEqual(treeFacts(tree));
  const after = await keysIn(scene, 'host-2');
  expect(before.filter((key) => key.includes('/data/') && !after.includes(key))).not.toEqual([]);
});

/** Whoever has copied the keys, with a program of their own. */
function thiefWith(keys: LimitedEnvironment, endpoint: string) {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: {
      accessKeyId: keys['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: keys['AWS_SECRET_ACCESS_KEY'] ?? '',
      sessionToken: keys['AWS_SESSION_TOKEN'] ?? '',
    },
  });
  return {
    remove: (key: string) => client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key })),
    [Symbol.dispose]: () => client.destroy(),
  };
}
