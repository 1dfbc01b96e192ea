import { Refusal } from './refusal.ts';
import type { Route } from './route.ts';

export interface ServerRules {
  /** Nothing goes but locks; nothing is ever overwritten, with or without it. */
  readonly appendOnly: boolean;
  /** Each user has the folder of their name, and nothing else. */
  readonly privateRepositories: boolean;
}

export type Method = 'HEAD' | 'GET' | 'POST' | 'DELETE';

const METHODS: Readonly<Record<Route['kind'], readonly Method[]>> = {
  repository: ['POST'],
  list: ['GET'],
  file: ['HEAD', 'GET', 'POST', 'DELETE'],
};

/** Whether the rules let this user do this; undefined is yes. `user` is absent where nobody logs in. */
export function refusalOf(
  { route, method, user }: { route: Route; method: string; user: string | undefined },
  rules: ServerRules,
): Refusal | undefined {
  if (rules.privateRepositories && (user === undefined || route.repository[0] !== user)) {
    return new Refusal(FORBIDDEN, 'This is not your folder.');
  }
  const allowed = METHODS[route.kind];
  if (!allowed.includes(method as Method) || (route.kind === 'repository' && !route.create)) {
    return new Refusal(NOT_ALLOWED, 'This cannot be done here.', { Allow: allowed.join(', ') });
  }
  if (rules.appendOnly && method === 'DELETE' && !(route.kind === 'file' && route.handle.type === 'lock')) {
    return new Refusal(FORBIDDEN, 'This server is append-only: nothing but locks can be removed.');
  }
  return undefined;
}

const FORBIDDEN = 403;
const NOT_ALLOWED = 405;
