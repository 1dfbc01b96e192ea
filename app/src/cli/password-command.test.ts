import { expect, test } from 'vitest';
import { recordedContext } from '../testing/context.ts';
import { runPasswordCommand } from './password-command.ts';

const node = `"${process.execPath}"`;

test('the password is what the command prints, without white space around it', async () => {
  const secret = await runPasswordCommand(`${node} -e "console.log('  correct horse ')"`, recordedContext());
  expect(secret.reveal()).toBe('correct horse');
});

test('what the command says on its standard error is shown', async () => {
  const context = recordedContext();
  await runPasswordCommand(`${node} -e "console.error('touch your key')"`, context);
  expect(context.written.stderr).toContain('touch your key');
});

test('a failing command is told without its words, which may hold a secret', async () => {
  const failing = runPasswordCommand(`${node} -e "process.exit(7)" s3cret`, recordedContext());
  const failure = await failing.catch((error) => error);
  expect(failure).toMatchObject({ code: 'usage', message: 'the password command failed: it ended with 7' });
  expect(`${failure.stack}${failure.subject}${failure.cause}`).not.toContain('s3cret');
});

test('a command that does not exist is told as that', async () => {
  await expect(runPasswordCommand('no-such-program-here x', recordedContext())).rejects.toThrow(
    'no such program',
  );
});

test('a command that hangs is ended', async () => {
  const { stderr, signal } = recordedContext();
  const hanging = runPasswordCommand(`${node} -e "setInterval(() => {}, 1000)"`, {
    stderr,
    signal,
    limit: 300,
  });
  await expect(hanging).rejects.toThrow('did not end within 0.3 s');
});

test('Ctrl-C ends it', async () => {
  const { stderr } = recordedContext();
  const controller = new AbortController();
  const running = runPasswordCommand(`${node} -e "setInterval(() => {}, 1000)"`, {
    stderr,
    signal: controller.signal,
  });
  controller.abort(new Error('interrupted'));
  await expect(running).rejects.toThrow('interrupted');
});
