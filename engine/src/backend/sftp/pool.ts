import { unlessAborted } from './abort.ts';
import type { SftpSession } from './session.ts';

/** A session for one call, given back when it is disposed of. */
export interface Lease extends Disposable {
  readonly session: SftpSession;
}

export interface SessionPool {
  /** An idle session, else a new one, else the one with the fewest calls. Rejects when there is no way in. */
  lease(signal?: AbortSignal): Promise<Lease>;
  close(): Promise<void>;
}

interface Member {
  readonly opening: Promise<SftpSession>;
  session?: SftpSession;
  calls: number;
}

/**
 * Sessions are opened when a call finds all others busy, up to `size`; one that has ended makes room for another. Calls
 * never wait for each other: a lock is refreshed however much is on its way. All wait for the first login, since a wrong
 * key is refused once rather than five times, which some servers take for an attack. Where a server allows fewer logins
 * than we would like, those that it lets in have to do.
 */
export function sessionPool(open: (closing: AbortSignal) => Promise<SftpSession>, size: number): SessionPool {
  const members = new Set<Member>();
  const closing = new AbortController();
  let room = size;

  function add(): Member {
    const member: Member = { opening: open(closing.signal), calls: 0 };
    members.add(member);
    member.opening.then(
      (session) => {
        member.session = session;
      },
      () => members.delete(member),
    );
    return member;
  }

  function choose(): Member {
    for (const member of members) if (member.session?.failure !== undefined) members.delete(member);
    if (members.size === 0) room = size;
    const leastBusy = [...members].reduce<Member | undefined>(
      (best, member) => (best === undefined || member.calls < best.calls ? member : best),
      undefined,
    );
    if (leastBusy === undefined) return add();
    const reached = [...members].some(({ session }) => session !== undefined);
    return leastBusy.calls === 0 || members.size >= room || !reached ? leastBusy : add();
  }

  return {
    lease: async (signal) => {
      for (;;) {
        const member = choose();
        member.calls += 1;
        try {
          const session = await unlessAborted(member.opening, signal);
          return { session, [Symbol.dispose]: () => (member.calls -= 1) };
        } catch (error) {
          member.calls -= 1;
          signal?.throwIfAborted();
          const others = [...members].filter((other) => other.session !== undefined);
          if (others.length === 0) throw error;
          room = others.length;
        }
      }
    },
    close: async () => {
      const all = [...members];
      members.clear();
      closing.abort();
      await Promise.allSettled(all.map(async ({ opening }) => (await opening).close()));
    },
  };
}
