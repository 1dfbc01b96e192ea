import { Failure, type Finding } from '@holdfast/engine';

/** Damage that a listing met on its way: everything else was listed, then the first of it is told. */
export function failureOf(finding: Finding): Failure {
  return new Failure('repository.damaged', `${finding.subject}: ${finding.message}`, {
    subject: finding.code,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
  });
}
