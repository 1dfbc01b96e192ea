/** A piece of SQL that a plan consists of, and what it is for, as words that go into a message. */
export interface Statement {
  readonly sql: string;
  readonly what: string;
  /**
   * It may fail: all that was done before stays, and a finding says what is missing. Without this a failure undoes
   * everything.
   */
  readonly soft?: true;
  /** Tried when rows do not meet it, with what makes good for the difference later. */
  readonly instead?: { readonly sql: string; readonly later: string };
}
