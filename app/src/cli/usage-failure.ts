import { Failure } from '@holdfast/engine';
import type { CommanderError } from 'commander';

/** What commander says of a misunderstood line: `error: …`, perhaps followed by `(Did you mean …?)`. */
const SUGGESTION = /\(Did you mean (.*)\?\)/s;

export function usageFailure(error: CommanderError, path: string): Failure {
  const message = error.message
    .replace(SUGGESTION, '')
    .replace(/^error: /, '')
    .trim()
    .replace(/\.$/, '');
  const suggestion = SUGGESTION.exec(error.message)?.[1];
  const help = `holdfast ${path === '' ? '' : `${path} `}--help`;
  return new Failure('usage', message, {
    hint:
      suggestion === undefined
        ? `${help} shows what there is.`
        : `Did you mean ${suggestion}? ${help} shows what there is.`,
  });
}
