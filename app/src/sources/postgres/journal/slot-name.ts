/** PostgreSQL's own rule, so that a name needs no quotes anywhere. */
export const SLOT_NAME = /^[a-z0-9_]{1,63}$/;
