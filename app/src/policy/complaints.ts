import { z } from 'zod';
import { type Complaint, type Path, pathText } from './problem.ts';
import { schemaAt } from './schema/lookup.ts';
import { schemaNotes } from './schema/notes.ts';
import { INTERPOLATION, LOGIN_IN_ADDRESS } from './schema/secret.ts';
import { nearest } from './suggestion.ts';

type Issue = z.core.$ZodIssue;

/** What a schema objects to, in our words. `value` is what it was given. */
export function complaintsOf(schema: z.ZodType, value: unknown): Complaint[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const strange = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(placeOf));
  const told = new Set<string>();
  return issues.flatMap((issue) => {
    // Of a mapping with a key that is not known, the one that seems to be missing is mostly that one.
    if (issue.code === 'custom' && strange.has(placeOf(issue))) return [];
    // The first thing that is wrong with a text mostly explains the next.
    if (issue.code === 'invalid_format' && told.has(placeOf(issue))) return [];
    told.add(placeOf(issue));
    return complain(issue, schema, value);
  });
}

function placeOf({ path }: Issue): string {
  return pathText(path as Path);
}

function complain(issue: Issue, schema: z.ZodType, root: unknown): Complaint[] {
  const path = issue.path as Path;
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, schema, root));
    case 'invalid_union': {
      const branch = branchOf(issue.errors);
      if (branch === undefined) break;
      return branch.flatMap((inner) =>
        complain({ ...inner, path: [...issue.path, ...inner.path] } as Issue, schema, root),
      );
    }
    case 'invalid_key': {
      // Behind a name stands a mapping; else the key may be what was to stand behind another.
      const secret = typeof value !== 'object' || value === null;
      const message = `expected ${issue.issues[0]?.message ?? 'another name'}`;
      return [{ path, key: true, secret, message }];
    }
    default:
  }
  const notes = notesAt(schema, path, root);
  if (notes.secret && isWritten(value)) return [secretComplaint(issue, path)];
  if (issue.code === 'invalid_type' && value === undefined)
    return [missing(path, issue.message, schema, root)];
  return [{ ...misfit(issue, path, value, notes), secret: notes.secret }];
}

/** Something stands there that is no mapping, whose keys would be complained of one by one. */
function isWritten(value: unknown): boolean {
  return value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value));
}

/** The alternative that was meant: the one whose kind of value is there. */
function branchOf(branches: Branches): readonly Issue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some(isOtherKind));
  return fitting.length === 1 ? fitting[0] : undefined;
}

type Branches = readonly (readonly Issue[])[];

function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return branchOf(issue.errors) === undefined;
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function unknownKey(key: string, path: Path, schema: z.ZodType, root: unknown): Complaint {
  const at = { path: [...path, key], key: true };
  const found = schemaAt(schema, path, root);
  const later = found.map((known) => schemaNotes.get(known)?.later?.[key]).find((word) => word !== undefined);
  if (later !== undefined) return { ...at, message: `this version cannot ${later} yet` };
  const known = found.flatMap((each) => Object.keys(shapeOf(each) ?? {}));
  const meant = nearest(key, known);
  if (meant === undefined && !/^[A-Za-z-]+$/.test(key)) return noKey(path, key);
  if (meant === undefined && valueAt(root, [...path, key]) === null) return noKey(path, key);
  return {
    ...at,
    message: `\`${shortened(key)}\` is not known here`,
    suggestion: meant === undefined ? `there is ${list(known)}` : `did you mean \`${meant}\`?`,
  };
}

/** Where a colon is missing, what was to stand behind it becomes a part of the key: it may be a secret. */
function noKey(path: Path, key: string): Complaint {
  return {
    path: [...path, key],
    key: true,
    secret: true,
    message: 'what stands here is no key',
    suggestion: 'is a colon, a comma or a quote missing before it?',
  };
}

function missing(path: Path, expected: string, schema: z.ZodType, root: unknown): Complaint {
  const described = schemaAt(schema, path, root).map((each) => z.globalRegistry.get(each)?.description);
  const what = described.find((text) => text !== undefined) ?? expected;
  return {
    path: path.slice(0, -1),
    key: true,
    message: `\`${String(path.at(-1))}\` is missing: ${what}`,
    ...(what === expected ? {} : { suggestion: `write ${expected}` }),
  };
}

function secretComplaint(issue: Issue, path: Path): Complaint {
  const key = String(path.at(-1));
  const reference = `write \`${key}: { file: /run/secrets/… }\`, or env or command instead of file`;
  const at = { path, secret: true };
  if (issue.message === LOGIN_IN_ADDRESS) {
    return {
      ...at,
      message: 'this address holds a password, and a secret must not stand in a policy',
      suggestion: `keep the address where only this program reads it: ${reference}`,
    };
  }
  if (issue.message === INTERPOLATION) {
    return { ...at, message: `expected ${INTERPOLATION}`, suggestion: `write \`${key}: { env: NAME }\`` };
  }
  if (issue.code !== 'invalid_format') {
    return { ...at, message: 'a secret must not stand in a policy', suggestion: reference };
  }
  return { ...at, message: `expected ${issue.message}` };
}

function misfit(
  issue: Issue,
  path: Path,
  value: unknown,
  notes: { repair?: (text: string) => string | undefined },
): Complaint {
  const message =
    value === null
      ? `nothing is written here; expected ${issue.message}`
      : `expected ${issue.message}${issue.code === 'custom' && typeof value === 'object' ? '' : notShown(value)}`;
  const suggestion = repaired(issue, value, notes);
  return { path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function repaired(
  issue: Issue,
  value: unknown,
  { repair }: { repair?: (text: string) => string | undefined },
): string | undefined {
  if (typeof value === 'number' && repair !== undefined) return 'write a unit behind it';
  if (typeof value !== 'string') return undefined;
  const text = issue.code === 'invalid_value' ? nearest(value, issue.values.map(String)) : repair?.(value);
  return text === undefined ? undefined : `did you mean \`${text}\`?`;
}

/** Enough of a value to recognise it. */
function notShown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? ', not an empty list' : ', not a list';
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length === 0 ? '' : ', not a mapping';
  }
  return `, not \`${shortened(String(value))}\``;
}

function shortened(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

const MOST_SHOWN = 40;

function list(names: readonly string[]): string {
  const last = names.at(-1) ?? 'nothing';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function notesAt(schema: z.ZodType, path: Path, root: unknown) {
  const found = schemaAt(schema, path, root).map((each) => schemaNotes.get(each));
  const repair = found.find((notes) => notes?.repair !== undefined)?.repair;
  return {
    secret: found.some((notes) => notes?.secret === true),
    ...(repair === undefined ? {} : { repair }),
  };
}

function shapeOf(schema: z.core.$ZodType): object | undefined {
  const { def } = schema._zod;
  return 'shape' in def && typeof def.shape === 'object' && def.shape !== null ? def.shape : undefined;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    root,
  );
}
