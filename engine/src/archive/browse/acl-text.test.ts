import { expect, test } from 'vitest';
import { aclText } from './acl-text.ts';

test('an ACL is told entry by entry, accounts by their numbers', () => {
  const value = Buffer.from(
    '02000000 01000600ffffffff 02000400e8030000 04000400ffffffff 08000700e9030000 10000700ffffffff 20000000ffffffff'.replaceAll(
      ' ',
      '',
    ),
    'hex',
  );
  expect(aclText(value)).toBe('user::rw-,user:1000:r--,group::r--,group:1001:rwx,mask::rwx,other::---');
});

test.each(['', '02', '03000000', '0200000001000600', '020000004000060000000000'])('%j is no ACL', (hex) => {
  expect(aclText(Buffer.from(hex, 'hex'))).toBeUndefined();
});
