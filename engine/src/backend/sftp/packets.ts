/**
 * Cuts a stream of bytes into packets. Give it each piece as it arrives; it answers with the packets that became whole,
 * without their length. Throws `NotSftp` when a length is none that a server would send: then something else answers.
 */
export function packetCutter(): (piece: Buffer) => Buffer[] {
  let held: Buffer[] = [];
  let size = 0;

  function take(length: number): Buffer {
    const all = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held, size);
    held = all.length === length ? [] : [all.subarray(length)];
    size -= length;
    return all.subarray(0, length);
  }

  let awaited: number | undefined;
  return (piece) => {
    held.push(piece);
    size += piece.length;
    const packets: Buffer[] = [];
    for (;;) {
      if (awaited === undefined) {
        if (size < LENGTH_BYTES) return packets;
        const length = take(LENGTH_BYTES);
        awaited = length.readUInt32BE();
        if (awaited < 1 || awaited > LARGEST_PACKET) throw new NotSftp(Buffer.concat([length, ...held]));
      }
      if (size < awaited) return packets;
      packets.push(take(awaited));
      awaited = undefined;
    }
  };
}

/** Something that is not an SFTP server has written this. */
export class NotSftp extends Error {
  override readonly name = 'NotSftp';

  constructor(bytes: Buffer) {
    super(bytes.subarray(0, 200).toString('latin1'));
  }
}

const LENGTH_BYTES = 4;
/** OpenSSH's limit is 256 KiB; others have larger ones. Text that a shell prints reads as more than 2^24. */
const LARGEST_PACKET = 1 << 20;
