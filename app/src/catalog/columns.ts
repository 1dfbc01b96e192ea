/** A row whose empty columns are not there, as our records have what is not known. */
export function defined<Record>(row: object): Record {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Record;
}
