import { Failure } from '@holdfast/engine';
import type { Command } from 'commander';
import { newCommand, present } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { errorPage, isFailureCode } from '../error-page.ts';
import { addGlobalOptions } from '../global-options.ts';

/** `holdfast help`, `holdfast help files backup`, `holdfast help source.missing`. */
export function define(parent: Command, context: Context): void {
  const command = newCommand(parent, {
    usage: 'help [topic...]',
    summary: 'help on a command, or on an error by its code',
    examples: [
      ['holdfast help', 'all commands'],
      ['holdfast help repository.locked', 'what an error means, what happened to your data and what to do'],
    ],
  });
  addGlobalOptions(command).action((topic: string[]) => {
    const [first, second] = topic;
    if (first !== undefined && second === undefined && isFailureCode(first)) {
      const page = errorPage(first);
      present(
        command,
        context,
        { lines: () => [page.trimEnd()], records: () => [{ type: 'page', code: first, text: page }] },
        'answer',
      );
      return;
    }
    findCommand(parent, topic).outputHelp();
  });
}

function findCommand(program: Command, topic: readonly string[]): Command {
  return topic.reduce((command, word) => {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) {
      throw new Failure('usage', `there is no command and no error code "${topic.join(' ')}"`, {
        hint: 'holdfast help lists the commands; an error prints its code at the right.',
      });
    }
    return next;
  }, program);
}
