import type { ExtendedAttribute } from '../../format/types.ts';
import { aclText } from './acl-text.ts';
import type { PaxRecord } from './tar-entry.ts';

const ACL_KEYS: ReadonlyMap<string, string> = new Map([
  ['system.posix_acl_access', 'SCHILY.acl.access'],
  ['system.posix_acl_default', 'SCHILY.acl.default'],
]);

/** Extended attributes and ACLs as star's records, which GNU tar, bsdtar and restic share. */
export function attributeRecords(attributes: readonly ExtendedAttribute[]): PaxRecord[] {
  return attributes.map(({ name, value }) => {
    const key = ACL_KEYS.get(name.toString('latin1'));
    const acl = key === undefined ? undefined : aclText(value);
    if (key !== undefined && acl !== undefined) return { key: Buffer.from(key), value: Buffer.from(acl) };
    return { key: Buffer.concat([XATTR, escapeKey(name)]), value };
  });
}

const XATTR = Buffer.from('SCHILY.xattr.');

/** The first `=` ends a key, so GNU tar writes one in a name as %3D, and a percent sign as %25. */
function escapeKey(name: Buffer): Buffer {
  const text = name.toString('latin1');
  return Buffer.from(text.replaceAll('%', '%25').replaceAll('=', '%3D'), 'latin1');
}
