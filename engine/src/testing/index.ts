export { describeBackend, noise, type OpenedForTest } from './backend-suite.ts';
