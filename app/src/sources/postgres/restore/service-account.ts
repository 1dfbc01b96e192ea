import { readFile } from 'node:fs/promises';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom a server of ours runs as, since PostgreSQL refuses root: the user `holdfast` where there is one, else `nobody`.
 * `ourselves` for everybody else; undefined where a machine knows neither: initdb asks for the name of whoever runs it.
 */
export async function serviceAccount(): Promise<Account | 'ourselves' | undefined> {
  if (process.getuid?.() !== 0) return 'ourselves';
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const lines = users.split('\n').map((line) => line.split(':'));
  const found =
    lines.find(([name, , uid]) => name === 'holdfast' && uid !== '0') ??
    lines.find(([, , uid]) => uid === NOBODY);
  return found === undefined ? undefined : { uid: Number(found[2]), gid: Number(found[3]) };
}

/** Called nobody or nfsnobody: the number is the same. */
const NOBODY = '65534';
