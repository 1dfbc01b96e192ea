import type { Complaint, Path } from './problem.ts';
import { ONLY_OF } from './schema/alert.ts';
import { nearest } from './suggestion.ts';

/** Undefined for a good expression, else why it is none and what was probably meant. */
export type CheckCron = (
  expression: string,
) => { readonly message: string; readonly suggestion?: string } | undefined;

/**
 * What a schema cannot see: names that refer to each other, expressions, things that exclude each other. Takes the
 * document as it is written, so that it has something to say also where other parts of it are wrong.
 */
export function inconsistencies(document: unknown, checkCron: CheckCron): Complaint[] {
  const root = mapping(document);
  const names: Names = {
    repositories: Object.keys(mapping(root['repositories'])),
    sources: Object.keys(mapping(root['sources'])),
  };
  return [
    ...cronComplaints(root, checkCron),
    ...sourceComplaints(root, names),
    ...copyComplaints(root, names),
    ...alertComplaints(root, names),
    ...optionComplaints(root),
  ];
}

interface Names {
  readonly repositories: readonly string[];
  readonly sources: readonly string[];
}

function* schedulesOf(root: Mapping): Generator<readonly [Path, unknown]> {
  for (const [name, value] of Object.entries(mapping(root['repositories']))) {
    for (const key of ['retention', 'check']) yield [['repositories', name, key], mapping(value)[key]];
  }
  for (const [name, value] of Object.entries(mapping(root['sources']))) {
    yield [['sources', name, 'snapshot'], mapping(value)['snapshot']];
  }
  for (const [at, value] of list(root['copies']).entries()) {
    const { after } = mapping(value);
    if (after !== 'each snapshot') yield [['copies', at, 'after'], after];
  }
}

function cronComplaints(root: Mapping, checkCron: CheckCron): Complaint[] {
  return [...schedulesOf(root)].flatMap(([path, schedule]) => {
    const inside = typeof schedule !== 'string';
    const expression = inside ? mapping(schedule)['cron'] : schedule;
    if (typeof expression !== 'string' || (!inside && expression === 'never')) return [];
    const problem = checkCron(expression);
    if (problem === undefined) return [];
    const place = inside ? [...path, 'cron'] : path;
    const meant = wordMeant(expression, place.at(-1) === 'after') ?? problem.suggestion;
    return [
      {
        path: place,
        message: problem.message,
        suggestion: meant === undefined ? CRON_FORM : `did you mean \`${meant}\`?`,
      },
    ];
  });
}

const CRON_FORM = 'minute, hour, day, month, day of the week: "0 2 * * *" is 02:00 each day';

/** Not every text was meant as an expression. */
function wordMeant(text: string, copy: boolean): string | undefined {
  if (/^\d+\s*(?:ms|s|m|h|d|w|y)$/.test(text)) return `{ every: ${text} }`;
  return nearest(text, copy ? ['never', 'each snapshot'] : ['never']);
}

function sourceComplaints(root: Mapping, { repositories }: Names): Complaint[] {
  const spools = new Map<string, string>();
  return Object.entries(mapping(root['sources'])).flatMap(([name, value]) => {
    const complaints: Complaint[] = [];
    const source = mapping(value);
    const path = ['sources', name];
    complaints.push(...unknownName(source['to'], [...path, 'to'], repositories, 'repository'));
    if (source['files'] !== undefined && source['journal'] !== undefined) {
      complaints.push({
        path: [...path, 'journal'],
        key: true,
        message: 'files have no journal: nothing records each change of theirs',
        suggestion: 'take snapshots more often: `snapshot: { every: 15m }`',
      });
    }
    const spool = mapping(source['journal'])['spool'];
    if (typeof spool === 'string') {
      const other = spools.get(spool);
      if (other !== undefined) {
        complaints.push({
          path: [...path, 'journal', 'spool'],
          message: `this is the spool of ${other} already`,
        });
      }
      spools.set(spool, name);
    }
    const until = mapping(source['hold'])['until'];
    if (typeof until === 'string' && /^\d{4}-\d\d-\d\d/.test(until) && !isDate(until)) {
      complaints.push({
        path: [...path, 'hold', 'until'],
        message: `\`${until.slice(0, 40)}\` is no date`,
        suggestion: 'write 2027-06-30, or 2027-06-30T12:00:00Z',
      });
    }
    return complaints;
  });
}

function isDate(text: string): boolean {
  try {
    if (text.includes('T')) Temporal.Instant.from(text);
    else Temporal.PlainDate.from(text);
    return true;
  } catch {
    return false;
  }
}

function copyComplaints(root: Mapping, names: Names): Complaint[] {
  const seen = new Set<unknown>();
  return list(root['copies']).flatMap((value, at) => {
    const copy = mapping(value);
    const { from, to, sources } = copy;
    const path = ['copies', at];
    const name = copy['name'] ?? `${String(from)} → ${String(to)}`;
    const twice = seen.has(name) && from !== undefined && to !== undefined;
    seen.add(name);
    return [
      ...unknownName(from, [...path, 'from'], names.repositories, 'repository'),
      ...unknownName(to, [...path, 'to'], names.repositories, 'repository'),
      ...list(sources).flatMap((source, nth) =>
        unknownName(source, [...path, 'sources', nth], names.sources, 'source'),
      ),
      ...(from !== undefined && from === to
        ? [{ path: [...path, 'to'], message: 'a repository is no copy of itself' }]
        : []),
      ...(twice
        ? [
            {
              path,
              message: `there is a copy “${String(name).slice(0, 60)}” already`,
              suggestion: 'give one of them a `name`',
            },
          ]
        : []),
    ];
  });
}

function alertComplaints(root: Mapping, { repositories, sources }: Names): Complaint[] {
  const inside = !Array.isArray(root['alerts']);
  const entries = inside ? mapping(root['alerts'])['to'] : root['alerts'];
  const path = inside ? ['alerts', 'to'] : ['alerts'];
  let pings = 0;
  const named = new Set<unknown>();
  return list(entries).flatMap((value, at) => {
    const entry = mapping(value);
    const complaints = list(typeof entry['about'] === 'string' ? [entry['about']] : entry['about']).flatMap(
      (about, nth) =>
        unknownName(
          about,
          [...path, at, 'about', ...(typeof entry['about'] === 'string' ? [] : [nth])],
          [...sources, ...repositories],
          'source or repository',
        ),
    );
    for (const [key, kind] of Object.entries(ONLY_OF)) {
      if (entry[key] === undefined || entry[kind] !== undefined) continue;
      complaints.push({ path: [...path, at, key], key: true, message: `\`${key}\` belongs to ${kind} only` });
    }
    if (entry['ping'] !== undefined) {
      pings += 1;
      if (pings > 1)
        complaints.push({ path: [...path, at, 'ping'], key: true, message: 'there is a ping already' });
      for (const key of ['severity', 'about', 'name']) {
        if (entry[key] === undefined) continue;
        complaints.push({
          path: [...path, at, key],
          key: true,
          message: `a ping tells nothing: it has no \`${key}\``,
        });
      }
    }
    if (entry['name'] !== undefined && named.has(entry['name'])) {
      complaints.push({ path: [...path, at, 'name'], message: 'another one has this name already' });
    }
    named.add(entry['name']);
    return complaints;
  });
}

/** Of what is given with `-o` only the login is a secret. */
function optionComplaints(root: Mapping): Complaint[] {
  return Object.entries(mapping(root['repositories'])).flatMap(([name, value]) => {
    const password = mapping(mapping(value)['options'])['rest.password'];
    if (password === undefined || (typeof password === 'object' && password !== null)) return [];
    return [
      {
        path: ['repositories', name, 'options', 'rest.password'],
        secret: true,
        message: 'a secret must not stand in a policy',
        suggestion: 'write `rest.password: { file: /run/secrets/… }`, or env or command instead of file',
      },
    ];
  });
}

function unknownName(value: unknown, path: Path, known: readonly string[], what: string): Complaint[] {
  if (typeof value !== 'string' || known.includes(value)) return [];
  const meant = nearest(value, known);
  const others = known.length === 0 ? undefined : `there is ${known.slice(0, 8).join(', ')}`;
  const suggestion = meant === undefined ? others : `did you mean \`${meant}\`?`;
  return [
    {
      path,
      message: `there is no ${what} \`${value.slice(0, 63)}\``,
      ...(suggestion === undefined ? {} : { suggestion }),
    },
  ];
}

type Mapping = Readonly<Record<string, unknown>>;

/** Nothing where something else is written: the schema has told that. */
function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
