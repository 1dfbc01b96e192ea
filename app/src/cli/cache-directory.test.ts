import { expect, test } from 'vitest';
import { chooseCacheDirectory } from './cache-directory.ts';

const all = { HOLDFAST_CACHE_DIR: '/own', RESTIC_CACHE_DIR: '/restic', XDG_CACHE_HOME: '/xdg' };

test.each([
  ['--no-cache wins over all', { cache: false, cacheDir: '/flag' }, all, undefined],
  ['then --cache-dir', { cacheDir: '/flag' }, all, '/flag'],
  ['then HOLDFAST_CACHE_DIR', {}, all, '/own'],
  ['then a folder beside restic’s', {}, { ...all, HOLDFAST_CACHE_DIR: '' }, '/restic/holdfast'],
  ['then XDG_CACHE_HOME', {}, { XDG_CACHE_HOME: '/xdg' }, '/xdg/holdfast'],
  ['then the home directory', {}, {}, '/home/ann/.cache/holdfast'],
])('%s', (_name, flags, environment, directory) => {
  expect(chooseCacheDirectory(flags, environment, '/home/ann')).toBe(directory);
});
