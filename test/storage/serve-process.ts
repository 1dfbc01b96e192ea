import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../app/src/main.ts', import.meta.url));

/** `holdfast serve` as a program of its own. Disposing ends it in whatever state it is. */
export interface ServeProcess extends AsyncDisposable {
  readonly url: string;
  /** All that it has said so far. */
  said(): string;
  /** Resolves as soon as it has said this. */
  says(text: string): Promise<void>;
  /** Resolves to the exit code, or null after a kill. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Resolves when it says where it is; rejects with its words when it ends before. */
export async function startServe(words: readonly string[]): Promise<ServeProcess> {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', program, 'serve', ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const listeners: (() => void)[] = [];
  const ready = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<number | null>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      for (const listener of listeners) listener();
      const url = / at (http\S+)/.exec(said)?.[1];
      if (url !== undefined) ready.resolve(url);
    });
  }
  child.once('error', ready.reject).once('close', (code) => {
    ended.resolve(code);
    ready.reject(new Error(`holdfast serve ended with ${code}:\n${said}`));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return await ended.promise;
  };
  return {
    url: await ready.promise,
    said: () => said,
    says: (text) =>
      new Promise((resolve) => {
        const look = () => said.includes(text) && resolve();
        listeners.push(look);
        look();
      }),
    end,
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}
