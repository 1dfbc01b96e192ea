import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure, failureTable } from '@holdfast/engine';
import { type Exchange, receiveFile, removeFile, sendFile, sendList } from './answers.ts';
import { claimedUser, logIn } from './login.ts';
import type { PasswordCheck } from './password-check.ts';
import type { Quota } from './quota.ts';
import { Refusal } from './refusal.ts';
import { parseRoute, type Route } from './route.ts';
import { refusalOf, type ServerRules } from './rules.ts';
import type { Stores } from './stores.ts';

/** What a request came to: for a log, without a secret in it. */
export interface Answered {
  readonly method: string;
  /** As it came; text from outside. */
  readonly target: string;
  readonly from: string;
  /** As claimed, whether or not it was proved. */
  readonly user: string | undefined;
  readonly status: number;
  /** Why it was refused or failed. */
  readonly reason?: string;
}

export interface HandlerParts {
  readonly stores: Stores;
  readonly rules: ServerRules;
  /** Absent where nobody has to log in. */
  readonly passwords: PasswordCheck | undefined;
  readonly quota: Quota;
  readonly onAnswered: (answered: Answered) => void;
}

/** Answers one request after the other; never throws. */
export function requestHandler(parts: HandlerParts): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { request, response } = exchange;
    const about = {
      method: request.method ?? '',
      target: request.url ?? '',
      from: request.socket.remoteAddress ?? 'socket',
      user: claimedUser(request.headers.authorization),
    };
    try {
      await answer(exchange, parts);
      parts.onAnswered({ ...about, status: response.statusCode });
    } catch (error) {
      const refusal = refusalFrom(error);
      // Gone in the middle: nobody is left to tell.
      if (response.headersSent || (request.destroyed && !request.complete)) response.destroy();
      else refuse(exchange, refusal);
      parts.onAnswered({ ...about, status: refusal.status, reason: reasonOf(error) });
    }
  };
}

/** Who it is comes first, so that nobody learns from an answer what is there. */
async function answer(exchange: Exchange, { stores, rules, passwords, quota }: HandlerParts): Promise<void> {
  const { request } = exchange;
  const method = request.method ?? '';
  const user = passwords === undefined ? undefined : await logIn(request.headers.authorization, passwords);
  const route = parseRoute(request.url ?? '');
  if (route === undefined) throw new Refusal(NOT_FOUND, 'There is nothing here.');
  const refused = refusalOf({ route, method, user }, rules);
  if (refused !== undefined) throw refused;
  await carryOut(exchange, { route, stores, quota });
}

async function carryOut(
  exchange: Exchange,
  { route, stores, quota }: { route: Route; stores: Stores; quota: Quota },
): Promise<void> {
  if (route.kind === 'repository') {
    await stores.create(route.repository);
    exchange.response.writeHead(OK, { 'Content-Length': 0 }).end();
    return;
  }
  const store = await stores.open(route.repository);
  if (route.kind === 'list') return await sendList(exchange, store, route.type);
  const { handle } = route;
  const { method } = exchange.request;
  if (method === 'POST') return await receiveFile(exchange, store, { handle, quota });
  if (method === 'DELETE') return await removeFile(exchange, store, { handle, quota });
  return await sendFile(exchange, store, handle);
}

function refuse({ request, response }: Exchange, { status, message, headers }: Refusal): void {
  const text = `${message}\n`;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
    ...(request.complete ? {} : { Connection: 'close' }),
  });
  response.end(text);
  if (!request.complete) letFinish(request, response);
}

/**
 * A client that is still sending hears the answer only when it is not cut off at once; so what it sends is thrown away
 * for a moment, and then the connection is closed whether or not it is done.
 */
function letFinish(request: IncomingMessage, response: ServerResponse): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.on('error', () => {}).once('close', () => clearTimeout(timer));
  response.on('error', () => {});
  request.resume();
}

/** What went wrong here is not told to whoever asked: paths and the like are nobody else's business. */
function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Failure)) return new Refusal(BROKEN, 'Something went wrong on the server.');
  if (error.code === 'backend.exists') return new Refusal(FORBIDDEN, 'There is one already.');
  if (error.code === 'backend.not-found') return new Refusal(NOT_FOUND, 'There is no such file.');
  if (error.code === 'backend.full')
    return new Refusal(failureTable['backend.full'].http, 'The disk is full.');
  return new Refusal(BROKEN, 'Something went wrong on the server.');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const OK = 200;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const BROKEN = 500;
/** Long enough for most of a pack over a line that is not slow. */
const LINGER_MS = 5000;
