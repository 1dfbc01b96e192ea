import { Failure } from '@holdfast/engine';
import { parseLsn } from './lsn.ts';

/** A timeline and where it was left for the next one. */
export interface TimelineSwitch {
  readonly timeline: number;
  /** The first LSN that belongs to the next timeline. */
  readonly end: bigint;
}

const LINE = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)(\s|$)/;

/**
 * Reads a history file: the ancestors of one timeline, oldest first. A line is `timeline TAB switch LSN TAB reason`;
 * empty lines and those that start with # say nothing. Throws `source.unreadable` for anything else, since guessing
 * here would mix two histories.
 */
export function parseTimelineHistory(text: string): TimelineSwitch[] {
  const switches: TimelineSwitch[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const parts = LINE.exec(line);
    const timeline = Number(parts?.[1]);
    if (parts?.[2] === undefined || timeline <= (switches.at(-1)?.timeline ?? 0)) {
      throw new Failure(
        'source.unreadable',
        `a timeline history has a line that makes no sense: "${line.trim()}"`,
      );
    }
    switches.push({ timeline, end: parseLsn(parts[2]) });
  }
  return switches;
}

/** The timeline that the byte at `lsn` belongs to, in the history of `timeline`. */
export function timelineAt(lsn: bigint, timeline: number, history: readonly TimelineSwitch[]): number {
  return history.find(({ end }) => lsn < end)?.timeline ?? timeline;
}
