import { randomBytes } from 'node:crypto';
import { Failure } from '../kernel/failure.ts';
import { isId } from '../kernel/id.ts';
import { countField, parseRecord, textField } from './json-shape.ts';
import { CHUNKER_DEGREE, degreeOf, isIrreducible, randomPolynomial } from './polynomial.ts';
import type { RepositoryConfig } from './types.ts';

/*
 * The file `config`: sealed like every other, but plain JSON in all versions, since it is what tells the version.
 */

/** The config of a new repository, which nobody else's equals. */
export function createConfig(version: RepositoryConfig['version'] = 2): RepositoryConfig {
  return { version, id: randomBytes(32).toString('hex'), chunkerPolynomial: randomPolynomial() };
}

export function encodeConfig(config: RepositoryConfig): Buffer {
  const { version, id, chunkerPolynomial } = config;
  return Buffer.from(JSON.stringify({ version, id, chunker_polynomial: chunkerPolynomial }));
}

/** Reads an opened config; a version that we do not know is `repository.unsupported`. */
export function decodeConfig(json: Uint8Array): RepositoryConfig {
  const record = parseRecord(json, 'the config');
  const version = countField(record, 'version');
  if (version !== 1 && version !== 2) {
    throw new Failure(
      'repository.unsupported',
      `The repository has format version ${version}; we know 1 and 2.`,
      { hint: 'A newer program made it: update Holdfast.' },
    );
  }
  const id = textField(record, 'id');
  if (!isId(id)) {
    throw new Failure('repository.damaged', 'The config names no repository id.');
  }
  const chunkerPolynomial = textField(record, 'chunker_polynomial');
  if (!isChunkerPolynomial(chunkerPolynomial)) {
    throw new Failure('repository.damaged', 'The config has no usable chunker polynomial.');
  }
  return { version, id, chunkerPolynomial };
}

function isChunkerPolynomial(text: string): boolean {
  if (!/^[0-9a-f]{1,16}$/.test(text)) {
    return false;
  }
  const polynomial = BigInt(`0x${text}`);
  return degreeOf(polynomial) === CHUNKER_DEGREE && isIrreducible(polynomial);
}
