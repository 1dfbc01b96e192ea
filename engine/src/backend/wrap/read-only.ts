import { Failure } from '../../kernel/failure.ts';
import type { Backend, Handle } from '../backend.ts';
import { describeHandle } from '../handle.ts';

/** Lets nothing be saved or removed: `backend.read-only`. */
export function readOnly(inner: Backend): Backend {
  async function refuse(handle: Handle): Promise<never> {
    throw new Failure('backend.read-only', `${inner.location} is opened for reading only.`, {
      subject: describeHandle(handle),
    });
  }
  return { ...inner, save: refuse, remove: refuse };
}
