import { expect, test } from 'vitest';
import type { PackedBlob } from '../../format/types.ts';
import { sha256Id } from '../../kernel/hash.ts';
import type { Id } from '../../kernel/id.ts';
import { Index } from '../index.ts';
import { PackContents } from '../pack-contents.ts';
import { ChosenPlaces } from './chosen-places.ts';

const idOf = (text: string) => sha256Id(Buffer.from(text));

function blobs(count: number): PackedBlob[] {
  return Array.from({ length: count }, (_, at) => ({
    type: 'data',
    id: idOf(`blob ${at}`),
    offset: at * 100,
    length: 100,
    uncompressedLength: 0,
  }));
}

/** Two packs with the same 50 needed blobs; the first has 50 more that nobody needs. */
function placesOf(state: { isWhole: (pack: number) => boolean }) {
  const index = Index.empty();
  const packs: Id[] = [idOf('old pack'), idOf('new pack')];
  packs.forEach((id, at) => {
    index.addPack({ id, blobs: blobs(at === 0 ? 100 : 50) });
  });
  const used = new Uint8Array(index.table.size);
  for (const { type, id } of blobs(50)) used[index.table.findId(type, id)] = 1;
  return new ChosenPlaces(index, PackContents.of(index), used, { ...state, isMarked: () => false });
}

test('of two packs with the same blobs the one counts that wastes less', () => {
  const places = placesOf({ isWhole: () => true });
  expect(places.neededOf(0)).toHaveLength(0);
  expect(places.neededOf(1)).toHaveLength(50);
});

test('a pack that is not whole counts only when there is no other', () => {
  const places = placesOf({ isWhole: (pack) => pack === 0 });
  expect(places.neededOf(0)).toHaveLength(50);
  expect(places.usageOf(1).duplicate.blobs).toBe(50);
});

test('a pack is looked at once, however many of its blobs lie elsewhere too', () => {
  const looks: number[] = [];
  placesOf({
    isWhole: (pack) => {
      looks.push(pack);
      return true;
    },
  });
  expect(looks.sort()).toEqual([0, 1]);
});
