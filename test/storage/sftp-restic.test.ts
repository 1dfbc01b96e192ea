import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { restic } from '../servers/restic.ts';
import { Sshd, sshd } from '../servers/sshd.ts';
import { testWith } from '../servers/test-with.ts';
import { commandLine } from '../stories/command-line.ts';

const execute = promisify(execFile);

testWith(restic)(
  'restic and we save, restore, thin out and check in one repository on an SSH server',
  async ({ server: { path: program }, skip }) => {
    const found = await sshd.obtain();
    if ('unavailable' in found) skip(found.unavailable);
    await using server = await Sshd.start();
    const repository = `sftp:holdfast-test:${server.files}/repository`;
    using person = commandLine({ HOLDFAST_REPOSITORY: repository, HOLDFAST_PASSWORD: 'open sesame' });
    const options = ['-o', `sftp.args=-F ${server.clientConfiguration}`];

    async function ours(...words: string[]): Promise<string> {
      const said = await person.run([...words, ...options]);
      expect(said, said.stderr).toMatchObject({ exitCode: 0 });
      return said.stdout;
    }

    async function theirs(...words: string[]): Promise<string> {
      const command = `sftp.command=ssh -F ${server.clientConfiguration} holdfast-test -s sftp`;
      const { stdout } = await execute(
        program,
        ['--repo', repository, '--no-cache', '-o', command, ...words],
        {
          env: { ...process.env, RESTIC_PASSWORD: 'open sesame' },
          cwd: person.directory,
        },
      );
      return stdout;
    }

    const at = (...names: string[]) => path.join(person.directory, ...names);
    mkdirSync(at('home'));
    writeFileSync(at('home', 'first.txt'), 'by us');
    await ours('repo', 'init');
    await ours('files', 'backup', 'home');
    await theirs('restore', 'latest', '--target', at('restored by restic'));
    expect(readFileSync(at('restored by restic', 'home', 'first.txt'), 'utf8')).toBe('by us');

    writeFileSync(at('home', 'second.txt'), 'by restic');
    await theirs('backup', 'home');
    await ours('files', 'restore', 'latest', '--target', at('restored by us'));
    expect(readFileSync(at('restored by us', 'home', 'second.txt'), 'utf8')).toBe('by restic');

    await ours('repo', 'forget', '--keep-last', '1', '--group-by', '', '--prune');
    expect(await theirs('check', '--read-data')).toContain('no errors were found');
    await theirs('forget', '--keep-last', '1', '--prune');
    await ours('repo', 'check', '--read-data');
  },
);
