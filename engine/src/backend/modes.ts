/** Permission bits for what a repository gets anew. */
export interface Modes {
  readonly directory: number;
  /** Without write permission: finished files never change, and nobody should change them by accident. */
  readonly file: number;
}

/** What a repository starts with. */
export const OWNER_ONLY: Modes = { directory: 0o700, file: 0o400 };
const WITH_GROUP: Modes = { directory: 0o770, file: 0o440 };

/** As restic decides it: whoever made `config` readable for the group wants the rest to be so too. */
export function modesLike(configMode: number): Modes {
  return (configMode & 0o040) === 0 ? OWNER_ONLY : WITH_GROUP;
}
