import type { Command } from 'commander';
import { newCommand, present, type Work, withProgress } from '../command-frame.ts';
import type { Context } from '../context.ts';
import { formatCount, formatCounted, formatDuration } from '../format.ts';
import { addGlobalOptions } from '../global-options.ts';
import { parseSize } from '../option-values.ts';

export interface ServeRequest {
  readonly path: string;
  readonly listen: string;
  readonly appendOnly?: boolean;
  readonly privateRepos?: boolean;
  readonly htpasswdFile?: string;
  /** False with `--no-auth`. */
  readonly auth: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plainHttp?: boolean;
  /** Bytes. */
  readonly maxSize?: number;
  readonly verbose?: boolean;
}

export interface ServeSummary {
  readonly requests: number;
  /** Of these; that a file is not there is an answer, no refusal. */
  readonly refused: number;
  readonly milliseconds: number;
}

/** Runs until it is told to stop. Rejects only when it cannot begin. */
export type ServeRepositories = (request: ServeRequest, work: Work) => Promise<ServeSummary>;

export function define(parent: Command, context: Context, serveRepositories: ServeRepositories): void {
  const command = newCommand(parent, {
    usage: 'serve',
    summary: 'let other machines keep repositories here',
    description:
      'Serves the repositories below a directory by restic’s REST protocol, to Holdfast and to restic: a client names ' +
      'rest:https://user@host:8000/folder/. With --append-only a client can add and read, and nobody who steals its ' +
      'password can destroy what is there. Runs until Ctrl-C; uploads that are on their way are finished then.',
    examples: [
      ['holdfast serve --path /srv/backups --no-auth --append-only', 'to this machine alone, on port 8000'],
      [
        'holdfast serve --path /srv/backups --listen :8000 --tls-cert h.pem --tls-key h.key --htpasswd-file users',
        'to other machines, over TLS, to the users of that file',
      ],
    ],
  });
  command
    .optionsGroup('What is served:')
    .requiredOption('--path <dir>', 'where the repositories lie')
    .option('--append-only', 'let nobody remove or change anything but locks')
    .option('--private-repos', 'let each user into the folder of their name only')
    .option(
      '--max-size <size>',
      'refuse uploads when all files together take that much, such as 500G',
      parseSize,
    )
    .optionsGroup('To whom:')
    .option('--listen <address>', 'host:port, :port for every address, or unix:/path', '127.0.0.1:8000')
    .option(
      '--htpasswd-file <file>',
      'users and passwords, as htpasswd -B makes it; read again when it changes',
    )
    .option('--no-auth', 'let everybody in who can reach it')
    .option('--tls-cert <file>', 'certificate in PEM, with its chain')
    .option('--tls-key <file>', 'its key in PEM')
    .option('--plain-http', 'listen to other machines without TLS: behind a proxy that has it')
    .option('-v, --verbose', 'a line for every request, not only for those that failed');
  addGlobalOptions(command).action(async () => {
    const request = command.opts<ServeRequest>();
    const summary = await withProgress(command, context, (work) => serveRepositories(request, work));
    present(
      command,
      context,
      { lines: () => [stoppedLine(summary)], records: () => [{ type: 'summary', ...summary }] },
      'confirmation',
    );
  });
}

function stoppedLine({ requests, refused, milliseconds }: ServeSummary): string {
  const [all, time] = [formatCounted(requests, 'request'), formatDuration(milliseconds)];
  return `Stopped after ${time}: ${all}, ${formatCount(refused)} of them refused`;
}
