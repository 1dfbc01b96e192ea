import { Failure } from '@holdfast/engine';

export type ListenAddress =
  | { readonly kind: 'port'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string };

/** Reads `127.0.0.1:8000`, `[::1]:8000`, `:8000` (every address of the machine) or `unix:/run/holdfast.sock`. */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:/')) return { kind: 'socket', path: text.slice('unix:'.length) };
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Failure('usage', `--listen ${text} is no address to listen on`, {
      hint: 'Such as 127.0.0.1:8000, [::1]:8000, :8000 for every address, or unix:/run/holdfast.sock.',
    });
  }
  return { kind: 'port', host: match[1] ?? (match[2] || '::'), port };
}

/** Whether only this machine can reach it. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === 'socket') return true;
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host);
}
