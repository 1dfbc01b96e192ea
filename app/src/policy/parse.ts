import { complaintsOf } from './complaints.ts';
import { type CheckCron, inconsistencies } from './consistency.ts';
import { type Position, positionOf } from './document/excerpt.ts';
import { hiddenParts } from './document/hidden.ts';
import { type Extent, type Located, locate } from './document/located.ts';
import { readYaml } from './document/yaml-text.ts';
import type { Policy } from './model.ts';
import { type Complaint, type PolicyProblem, pathText } from './problem.ts';
import { resolvePolicy } from './resolve/policy.ts';
import type { Surroundings } from './resolve/surroundings.ts';
import { policySchema } from './schema/policy.ts';

export interface ParseOptions extends Surroundings {
  readonly checkCron: CheckCron;
}

export type ParsedPolicy = { readonly policy: Policy } | { readonly problems: readonly PolicyProblem[] };

/** Reads a policy with every default filled in, or tells all that is wrong with it, in the order of the text. */
export function parsePolicy(text: string, options: ParseOptions): ParsedPolicy {
  const read = readYaml(text);
  if ('problems' in read) {
    return {
      problems: read.problems.map(({ extent, message, suggestion }) => ({
        ...positionOf(text, extent, undefined),
        path: '',
        message,
        ...(suggestion === undefined ? {} : { suggestion }),
      })),
    };
  }
  const { root } = read;
  const complaints = [
    ...complaintsOf(policySchema, root.value),
    ...inconsistencies(root.value, options.checkCron),
  ];
  if (complaints.length === 0) {
    return { policy: resolvePolicy(policySchema.parse(root.value), options) };
  }
  const hidden = hiddenParts(root);
  const placed = complaints.map((complaint) => ({ complaint, ...placeOf(complaint, text, root) }));
  return {
    problems: placed
      .toSorted((a, b) => a.extent[0] - b.extent[0])
      .slice(0, MOST_PROBLEMS)
      .map(({ complaint, extent, secret }) =>
        problemOf(
          complaint,
          positionOf(text, extent, secret ? [...hidden, extent] : hidden.filter((part) => part !== extent)),
        ),
      ),
  };
}

/** Nobody mends more at a time. */
const MOST_PROBLEMS = 100;

function placeOf({ path, key = false, secret = false }: Complaint, text: string, root: Located) {
  const { found, whole } = locate(root, path);
  const extent = extentOf(found, key || !whole, text);
  return { extent, secret: secret && (key || extent === found.extent) };
}

function problemOf({ path, key, secret, message, suggestion }: Complaint, position: Position): PolicyProblem {
  return {
    ...position,
    // A key that may be a secret is no part of its path.
    path: pathText(key && secret ? path.slice(0, -1) : path),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** Of what is missing the key that it belongs to is marked, or where that begins: not all that stands there. */
function extentOf(found: Located, byKey: boolean, text: string): Extent {
  const [from] = found.extent;
  if (byKey) return found.key ?? [from, from + 1];
  return isLong(found, text) ? (found.key ?? [from, from + 1]) : found.extent;
}

/** What goes over several lines is marked by its key. */
function isLong({ extent: [from, to] }: Located, text: string): boolean {
  return text.slice(from, to).trimEnd().includes('\n');
}
