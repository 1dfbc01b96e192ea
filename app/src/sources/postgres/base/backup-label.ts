/** Lines by which a server knows a data directory of which only the changed pages are there, and refuses it. */
const INCREMENTAL = /^INCREMENTAL FROM (?:LSN|TLI): .*\n/gm;

/** The backup_label of an incremental base as that of the whole data directory that was made of it. */
export function labelOfWhole(label: string): string {
  return label.replace(INCREMENTAL, '');
}
