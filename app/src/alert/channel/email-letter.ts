import type { Entry, Letterhead, Wording } from '../wording.ts';

/** Inline styles only: mail programs drop everything else. Colours are dark enough to be read on white. */
const COLOURS = { bad: '#b3261e', warning: '#8a5a00', quiet: '#5f6368', good: '#1e7d34' } as const;
const FONT = 'font:15px/1.5 system-ui,-apple-system,Segoe UI,sans-serif;color:#202124';

export function textLetter(wording: Wording, { stack, timezone }: Letterhead): string {
  const entries = wording.entries.map(({ sign, title, text, next, time }) =>
    [`${sign} ${title}   ${time}`, `  ${text}`, ...(next === undefined ? [] : [`  → ${next}`])].join('\n'),
  );
  return [...entries, ...(wording.more === undefined ? [] : [wording.more]), footer(stack, timezone)].join(
    '\n\n',
  );
}

export function htmlLetter(wording: Wording, { stack, timezone }: Letterhead): string {
  const more = wording.more === undefined ? '' : `<p>${escaped(wording.more)}</p>`;
  return [
    `<!doctype html><html lang="en"><body style="${FONT};max-width:40em;margin:1.5em">`,
    ...wording.entries.map(htmlEntry),
    more,
    `<p style="color:${COLOURS.quiet};font-size:13px">${escaped(footer(stack, timezone))}</p>`,
    '</body></html>',
  ].join('\n');
}

function htmlEntry({ sign, tone, title, text, next, time }: Entry): string {
  const colour = COLOURS[tone];
  const line = next === undefined ? '' : `<br><span style="color:${COLOURS.quiet}">→</span> ${escaped(next)}`;
  return (
    `<div style="border-left:4px solid ${colour};padding:.2em 1em;margin:0 0 1.2em">` +
    `<strong style="color:${colour}">${sign} ${escaped(title)}</strong> ` +
    `<span style="color:${COLOURS.quiet}">${escaped(time)}</span><br>${escaped(text)}${line}</div>`
  );
}

function footer(stack: string, timezone: string): string {
  return `Holdfast · ${stack} · times in ${timezone} · all of it: holdfast status`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
