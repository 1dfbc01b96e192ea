import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { recordedContext } from '../testing/context.ts';
import { consentPrompt, requireConsent } from './consent.ts';

const request = { loss: '3 entries of /srv would be deleted', token: '1a2b3c', given: undefined };

test('the token of the plan is consent', async () => {
  await requireConsent({ ...request, given: '1a2b3c' }, recordedContext());
});

test('the token of another plan is none, and the one of this plan is told', async () => {
  const asked = requireConsent(
    { ...request, given: 'ffffff' },
    recordedContext({ askConsent: async () => true }),
  );
  await expect(asked).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('--consent 1a2b3c'),
  });
});

test('without a terminal and without a token nothing is done', async () => {
  await expect(requireConsent(request, recordedContext())).rejects.toMatchObject({ code: 'usage' });
});

test('on a terminal a yes is consent, anything else is none', async () => {
  await requireConsent(request, recordedContext({ askConsent: async () => true }));
  const refused = requireConsent(request, recordedContext({ askConsent: async () => false }));
  await expect(refused).rejects.toMatchObject({ code: 'interrupted', hint: 'Nothing was changed.' });
});

class Keyboard extends EventEmitter {
  resume(): void {}
  pause(): void {}
}

test.each([
  ['y\n', true],
  ['Yes\n', true],
  ['\n', false],
  ['n\n', false],
  ['yesterday\n', false],
])('the answer %j is %s', async (typed, meaning) => {
  const keyboard = new Keyboard();
  const { stderr, signal, written } = recordedContext();
  const answer = consentPrompt(keyboard, stderr)('Go ahead? [y/N] ', signal);
  keyboard.emit('data', Buffer.from(typed));
  expect(await answer).toBe(meaning);
  expect(written.stderr).toBe('Go ahead? [y/N] ');
});

test('Ctrl-C ends the question', async () => {
  const controller = new AbortController();
  const answer = consentPrompt(new Keyboard(), recordedContext().stderr)('Go ahead? ', controller.signal);
  controller.abort(new Error('interrupted'));
  await expect(answer).rejects.toThrow('interrupted');
});
