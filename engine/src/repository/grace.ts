/** When packs that are marked may go. Both in milliseconds; `now` since the epoch. */
export interface Grace {
  readonly now: number;
  /** How long a pack stays marked before it is removed. */
  readonly keep: number;
}
