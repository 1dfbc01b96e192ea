import type { Backend } from '../backend.ts';

/** The calls of a backend that reach the place it stands for. */
export type Call = Exclude<keyof Backend, 'location' | 'connections' | 'near' | 'close'>;
