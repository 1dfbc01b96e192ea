import type { Failure, Finding } from '@holdfast/engine';
import { formatLsn, type Lsn } from '../wal/lsn.ts';

export function gapFinding(slot: string, from: Lsn, to: Lsn, why: string): Finding {
  return {
    severity: 'error',
    code: 'journal.gap',
    subject: `slot ${slot}: ${formatLsn(from)}–${formatLsn(to)}`,
    message: `WAL is missing in the journal: ${why}`,
    hint: 'No moment after the gap can be restored until a new base backup is taken: take one now.',
  };
}

export function slotMadeAnew(slot: string, why: 'made' | 'remade'): Finding {
  return {
    severity: 'warning',
    code: 'journal.slot-lost',
    subject: `slot ${slot}`,
    message:
      why === 'made'
        ? 'our replication slot was not there: somebody dropped it, or another host took over; it was made again'
        : 'the server had given up our replication slot (max_slot_wal_keep_size); it was made again',
    hint:
      why === 'made'
        ? 'Leave this slot alone while the journal is wanted: without it the server removes WAL that we still need.'
        : 'Was the journal stopped for long, or is max_slot_wal_keep_size too small for the write load?',
  };
}

export function spoolLow(directory: string, free: number): Finding {
  return {
    severity: 'warning',
    code: 'journal.spool-low',
    subject: directory,
    message: `the spool's disk has ${Math.floor(free / 2 ** 20)} MiB left`,
    hint: 'Make room there, or see why the repository does not take the journal. The stream stops when it is full.',
  };
}

export function aheadOfServer(switchedAt: Lsn, reached: Lsn): Finding {
  return {
    severity: 'warning',
    code: 'journal.ahead',
    subject: `${formatLsn(switchedAt)}–${formatLsn(reached)}`,
    message: 'we have WAL that the server which took over never had',
    hint: 'It is kept under the old timeline: transactions in it were acknowledged, then lost by the failover.',
  };
}

export function slotNotKept(slot: string, host: string, { message }: Failure): Finding {
  return {
    severity: 'warning',
    code: 'journal.slot-not-kept',
    subject: `slot ${slot} on ${host}`,
    message: `our slot cannot be kept there: ${message}`,
    hint: 'Should this host take over before it can, the WAL that it has removed by then is a gap.',
  };
}

export function baseMissing(at: Lsn, willTake: boolean): Finding {
  return {
    severity: 'warning',
    code: 'journal.base-missing',
    subject: `journal from ${formatLsn(at)} on`,
    message: 'no base backup leads to this journal: from it alone nothing can be restored',
    hint: willTake
      ? 'One is taken now; --no-base-after-gap keeps the journal from doing so.'
      : 'Take one: holdfast postgres backup.',
  };
}

export function spoolAlone(directory: string, { message }: Failure): Finding {
  return {
    severity: 'warning',
    code: 'journal.server-away',
    subject: directory,
    message: `${message}; what the spool holds is brought into the repository meanwhile`,
  };
}
