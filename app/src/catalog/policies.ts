import type { Session } from '../state/session.ts';

export interface PolicyVersion {
  /** Of its text. */
  readonly hash: string;
  readonly text: string;
  /** When a control plane went by it first, or again after another one. */
  readonly seenAt: number;
}

/** A policy holds references to secrets, never one: its text can be kept. */
export async function savePolicy(session: Session, { hash, text, seenAt }: PolicyVersion): Promise<void> {
  await session.execute(
    `INSERT INTO holdfast.policy_version (hash, text, seen_at) VALUES ($1, $2, $3)
     ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at`,
    [hash, text, seenAt],
  );
}

/** Newest first. */
export async function readPolicies(session: Session, most = 100): Promise<PolicyVersion[]> {
  return await session.query<PolicyVersion>(
    'SELECT hash, text, seen_at AS "seenAt" FROM holdfast.policy_version ORDER BY seen_at DESC, hash LIMIT $1',
    [most],
  );
}
