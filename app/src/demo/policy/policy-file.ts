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
export function policyText(places: PolicyPlaces): string {
  const password = `password: { file: ${scalar(places.passwordFile)} }`;
  return `stack: shop
repositories:
  main:
    url: ${scalar(places.main)}
    ${password}
    sameHost: accepted # refused unless one writes it: what takes the shop takes this as well
  offsite:
    url: ${scalar(places.offsite)}
    ${password}
    sameHost: accepted # for a demo only: a real last copy is elsewhere
sources:
  ${ORDERS}:
    postgres: ${scalar(places.serverUrl)}
    snapshot: { every: 1h }
    journal: { slot: ${JOURNAL} } # every change in between
    objective: { rpo: ${JOURNAL_RPO / 1000}s, copies: 2 }
  ${PAGES}:
    files: ${scalar(places.folder)}
    snapshot: { every: 10s }
    objective: { rpo: 30s, copies: 2 }
copies:
  - { from: main, to: offsite } # after each snapshot, and what the journal adds
alerts: { to: [{ webhook: ${JSON.stringify(places.alertUrl)} }], group: 1s }
`;
}

/** As YAML has it: plain where nothing in it means anything there. */
function scalar(text: string): string {
  return /^~?\/[\w./-]*$/.test(text) ? text : JSON.stringify(text);
}
