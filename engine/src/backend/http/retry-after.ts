/** The headers of an answer, names in small letters. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Those with which a server may say when it will be ready again (RFC 6585 and RFC 9110, 15.6.4). */
const WITH_A_TIME: readonly (number | undefined)[] = [429, 503];

/**
 * Milliseconds after which a server that has too much to do wants to be asked again; undefined where it does not say.
 * Seconds, or a date: that one is compared with the server's own clock, which may not be ours.
 */
export function retryAfterOf(
  status: number | undefined,
  headers: AnswerHeaders | undefined,
): number | undefined {
  if (!WITH_A_TIME.includes(status)) return undefined;
  const [asked, date] = [headers?.['retry-after'], headers?.['date']];
  if (typeof asked !== 'string') return undefined;
  if (/^\d{1,9}$/.test(asked)) return Number(asked) * 1000;
  if (typeof date !== 'string') return undefined;
  const wait = Date.parse(asked) - Date.parse(date);
  return wait >= 0 ? wait : undefined;
}
