/** What the policy of the story names. Paths as they are to be written there. */
export interface PolicyPlaces {
  readonly main: string;
  readonly offsite: string;
  readonly passwordFile: string;
  /** Of the shop's server. */
  readonly serverUrl: string;
  readonly folder: string;
  readonly alertUrl: string;
}

/** Names that the story asks for. */
export const ORDERS = 'orders';
export const PAGES = 'pages';
export const COPY = 'main → offsite';
/** What `synchronous_standby_names` names. */
export const JOURNAL = 'holdfast';
/** Milliseconds: how much the repository alone may lack. */
export const JOURNAL_RPO = 8000;

/** A whole policy, with intervals of seconds so that a minute shows what takes a night. */
export function policyText({
  main,
  offsite,
  passwordFile,
  serverUrl,
  folder,
  alertUrl,
}: PolicyPlaces): string {
  const [password, pass] = [JSON.stringify(passwordFile), 'password'];
  return `stack: shop
repositories: # sameHost: one fire takes all of this. Written out, since it is refused otherwise
  main: { url: ${JSON.stringify(main)}, ${pass}: { file: ${password} }, sameHost: accepted }
  offsite: { url: ${JSON.stringify(offsite)}, ${pass}: { file: ${password} }, sameHost: accepted }
sources:
  ${ORDERS}:
    postgres: ${JSON.stringify(serverUrl)}
    snapshot: { every: 1h }
    journal: { slot: ${JOURNAL} } # every change in between
    objective: { rpo: ${JOURNAL_RPO / 1000}s, copies: 2 }
  ${PAGES}:
    files: ${JSON.stringify(folder)}
    snapshot: { every: 10s }
    objective: { rpo: 30s, copies: 2 }
copies:
  - { from: main, to: offsite } # after each snapshot, and what the journal adds
alerts: { to: [{ webhook: ${JSON.stringify(alertUrl)} }], group: 1s }
`;
}
