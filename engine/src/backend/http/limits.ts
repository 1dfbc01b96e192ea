/** How long a connection may take to be made, in milliseconds. */
export const CONNECT_MS = 15_000;
/** A connection on which nothing has moved for so long is dead: a server that is busy answers or closes. */
export const SILENCE_MS = 60_000;
