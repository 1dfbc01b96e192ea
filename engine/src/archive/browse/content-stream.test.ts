import { expect, test } from 'vitest';
import { MemoryRepository } from '../../testing/memory-repository.ts';
import { fetchPieces, type StreamPiece } from './content-stream.ts';

test('bytes and blobs come in the order in which they were asked for', async () => {
  const repository = await MemoryRepository.create();
  const pieces: StreamPiece[] = [];
  for (let number = 0; number < 50; number += 1) {
    pieces.push(Buffer.from(`<${number}>`), {
      blob: await repository.saveBlob('data', Buffer.from(`${number % 7}`)),
    });
  }
  const bytes = Buffer.concat(await Array.fromAsync(fetchPieces(repository.indexed, pieces)));
  const expected = Array.from({ length: 50 }, (_, number) => `<${number}>${number % 7}`).join('');
  expect(bytes.toString()).toBe(expected);
});

test('little is fetched before somebody reads', async () => {
  const repository = await MemoryRepository.create();
  const blob = await repository.saveBlob('data', Buffer.from('x'));
  let asked = 0;
  function* pieces(): Generator<StreamPiece> {
    for (; asked < 1000; asked += 1) yield { blob };
  }
  const stream = fetchPieces(repository.indexed, pieces());
  expect(asked).toBe(0);
  await stream.next();
  expect(asked).toBeLessThanOrEqual(repository.indexed.repository.backend.connections + 1);
  await stream.return();
});

test('a damaged blob ends the stream, after what came before it', async () => {
  const repository = await MemoryRepository.create();
  const [good, bad] = [
    await repository.saveBlob('data', Buffer.from('good')),
    await repository.saveBlob('data', Buffer.from('bad')),
  ];
  repository.damage('data', bad);
  const stream = fetchPieces(repository.indexed, [{ blob: good }, { blob: bad }, { blob: good }]);
  expect(Buffer.from((await stream.next()).value ?? []).toString()).toBe('good');
  await expect(stream.next()).rejects.toMatchObject({ code: 'repository.damaged' });
});
