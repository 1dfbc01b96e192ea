import { randomFillSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createBackend, createRepository, parseAddress, systemClock } from '../../engine/src/index.ts';
import { PASSWORD, QUICK_KEY } from '../scenes/backup-scene.ts';

/** A directory with a folder to protect, a repository, a policy's file and room for a state. */
export class RatesScene implements Disposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<RatesScene> {
    const scene = new RatesScene(mkdtempSync(path.join(tmpdir(), 'holdfast-policy-')));
    // As root, PostgreSQL runs as somebody else, who passes through it.
    chmodSync(scene.directory, 0o755);
    mkdirSync(scene.at('data'));
    writeFileSync(scene.at('password'), PASSWORD, { mode: 0o600 });
    const backend = await createBackend(parseAddress(scene.at('repository')));
    await createRepository(backend, PASSWORD, { clock: systemClock, kdf: QUICK_KEY });
    await backend.close();
    return scene;
  }

  at(name: string): string {
    return path.join(this.directory, name);
  }

  /** A file that neither deduplicates nor compresses. */
  addNoise(name: string, bytes: number): void {
    writeFileSync(path.join(this.at('data'), name), randomFillSync(Buffer.allocUnsafe(bytes)));
  }

  /** For `holdfast up`; JSON is YAML. */
  savePolicy(text: string): { readonly policy: string; readonly state: string } {
    const policy = this.at('holdfast.yaml');
    writeFileSync(policy, text);
    return { policy, state: this.at('state') };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
