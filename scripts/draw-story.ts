/**
 * Puts what `npm start` printed into the README, as text and as a picture:
 *
 *     FORCE_COLOR=1 npm start > story.txt && ./dev run scripts/draw-story.ts story.txt
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { drawTerminal } from './terminal-picture.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('which file? FORCE_COLOR=1 npm start > FILE');

const printed = readFileSync(file, 'utf8');
const story = printed.slice(printed.indexOf('Holdfast ·')).trimEnd();
const title =
  'npm start: a shop is kept by one policy; it loses a table, its server and its offsite copy, and everything comes back';
const picture = path.join(root, 'docs/img/story.svg');
mkdirSync(path.dirname(picture), { recursive: true });
writeFileSync(picture, drawTerminal(`$ npm start\n\n${story}\n`, title));

const readme = path.join(root, 'README.md');
const text = stripVTControlCharacters(story);
const before = readFileSync(readme, 'utf8');
writeFileSync(
  readme,
  before.replace(/```\nHoldfast ·[^`]*```/, () => `\`\`\`\n${text}\n\`\`\``),
);
