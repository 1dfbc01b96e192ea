export { type Fault, fault } from '../backend/wrap/fault.ts';
export { describeBackend, noise, type OpenedForTest } from './backend-suite.ts';
export { type VirtualClock, virtualClock } from './clock.ts';
