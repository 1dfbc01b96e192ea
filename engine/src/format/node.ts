import { isUtf8 } from 'node:buffer';
import { Failure } from '../kernel/failure.ts';
import type { Id } from '../kernel/id.ts';
import { goString, goStringOfBytes, isPlain } from './go-json.ts';
import { goModeOf, modeFromGo } from './go-mode.ts';
import { quote, unquote } from './go-quote.ts';
import { formatTime, parseTime, ZERO_TIME } from './go-time.ts';
import {
  asRecord,
  bytesField,
  countField,
  idListField,
  type JsonRecord,
  listField,
  optionalIdField,
  textField,
} from './json-shape.ts';
import type { ExtendedAttribute, Node, NodeType } from './types.ts';

/*
 * One node of a tree as JSON. The fields stand in the order of restic's struct, and those that Go's "omitempty" omits
 * are omitted, so that the same entry gives the same bytes, and the same tree the same id, as with restic.
 */

const TYPES: ReadonlySet<string> = new Set<NodeType>([
  'file',
  'dir',
  'symlink',
  'dev',
  'chardev',
  'fifo',
  'socket',
  'irregular',
]);

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'type',
  'mode',
  'mtime',
  'atime',
  'ctime',
  'uid',
  'gid',
  'user',
  'group',
  'inode',
  'device_id',
  'size',
  'links',
  'linktarget',
  'linktarget_raw',
  'extended_attributes',
  'device',
  'content',
  'subtree',
  'error',
]);

/** Of the fields that we only carry along, this one stands in the middle. */
const GENERIC_ATTRIBUTES = 'generic_attributes';

/** Called for every file of a backup: builds the string by hand, which is several times faster than an object. */
export function encodeNode(node: Node): string {
  const type = (node.type === 'irregular' && foreignType(node)) || node.type;
  const mode = goModeOf(node.type, node.mode);
  const mtime = formatTime(node.mtime);
  const atime = node.atime === node.mtime ? mtime : formatTime(node.atime);
  const ctime = node.ctime === node.mtime ? mtime : formatTime(node.ctime);
  let json = `{"name":${encodeName(node.name)},"type":${goString(type)}`;
  if (mode !== 0) json += `,"mode":${mode}`;
  json += `,"mtime":"${mtime}","atime":"${atime}","ctime":"${ctime}","uid":${node.uid},"gid":${node.gid}`;
  if (node.user !== '') json += `,"user":${goString(node.user)}`;
  if (node.group !== '') json += `,"group":${goString(node.group)}`;
  if (node.inode !== 0n) json += `,"inode":${node.inode}`;
  if (node.deviceId !== 0n) json += `,"device_id":${node.deviceId}`;
  if (node.size !== 0) json += `,"size":${node.size}`;
  if (node.links !== 0) json += `,"links":${node.links}`;
  if (node.linkTarget !== undefined) json += encodeLinkTarget(node.linkTarget);
  if (node.extendedAttributes.length > 0) {
    json += `,"extended_attributes":[${node.extendedAttributes.map(encodeAttribute).join()}]`;
  }
  if (node.unknown?.[GENERIC_ATTRIBUTES] !== undefined) {
    json += `,"${GENERIC_ATTRIBUTES}":${JSON.stringify(node.unknown[GENERIC_ATTRIBUTES])}`;
  }
  if (node.device !== 0n) json += `,"device":${node.device}`;
  json += `,"content":${node.content === undefined ? 'null' : encodeIds(node.content)}`;
  if (node.subtree !== undefined) json += `,"subtree":"${node.subtree}"`;
  if (node.error !== undefined && node.error !== '') json += `,"error":${goString(node.error)}`;
  if (node.unknown !== undefined) json += encodeUnknown(node.unknown);
  return `${json}}`;
}

/**
 * Reads a node. Its name is whatever the writer said, even "../x": `isSafeName` tells. A type that we do not know
 * becomes `irregular` and is kept in `unknown`.
 */
export function decodeNode(value: unknown): Node {
  const record = asRecord(value, 'a node');
  const type = textField(record, 'type');
  const linkTarget = decodeLinkTarget(record);
  const subtree = optionalIdField(record, 'subtree');
  const error = textField(record, 'error');
  const unknown = decodeUnknown(record, type);
  return {
    name: unquote(textField(record, 'name')),
    type: isNodeType(type) ? type : 'irregular',
    mode: modeFromGo(countField(record, 'mode')),
    mtime: timeField(record, 'mtime'),
    atime: timeField(record, 'atime'),
    ctime: timeField(record, 'ctime'),
    uid: countField(record, 'uid'),
    gid: countField(record, 'gid'),
    user: textField(record, 'user'),
    group: textField(record, 'group'),
    inode: bigField(record, 'inode'),
    deviceId: bigField(record, 'device_id'),
    size: countField(record, 'size'),
    links: countField(record, 'links'),
    ...(linkTarget === undefined ? {} : { linkTarget }),
    extendedAttributes: listField(record, 'extended_attributes').map(decodeAttribute),
    device: bigField(record, 'device'),
    ...(record.content === undefined || record.content === null
      ? {}
      : { content: idListField(record, 'content') }),
    ...(subtree === undefined ? {} : { subtree }),
    ...(error === '' ? {} : { error }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

/**
 * Puts quotes around the numbers of inodes and devices that a double cannot hold, before `JSON.parse` rounds them.
 * A field's name cannot stand like this inside of a string, where its quotes would be escaped.
 */
export function protectLargeNumbers(json: string): string {
  return json.replace(/"(inode|device_id|device)"\s*:\s*(\d{16,20})(?=\s*[,}])/g, '"$1":"$2"');
}

function encodeName(name: Buffer): string {
  const quoted = quote(name);
  return isPlain(quoted) ? `"${quoted}"` : goString(quoted);
}

/** restic adds the raw bytes where JSON cannot say them. */
function encodeLinkTarget(target: Buffer): string {
  if (target.length === 0) {
    return '';
  }
  const raw = isUtf8(target) ? '' : `,"linktarget_raw":"${target.toString('base64')}"`;
  return `,"linktarget":${goStringOfBytes(target)}${raw}`;
}

function decodeLinkTarget(record: JsonRecord): Buffer | undefined {
  const raw = bytesField(record, 'linktarget_raw');
  const target = raw.length > 0 ? raw : Buffer.from(textField(record, 'linktarget'));
  return target.length > 0 ? target : undefined;
}

/** A name that is no UTF-8 cannot be said in restic's format; Linux' own names are ASCII. */
function encodeAttribute({ name, value }: ExtendedAttribute): string {
  return `{"name":${goStringOfBytes(name)},"value":"${value.toString('base64')}"}`;
}

function decodeAttribute(value: unknown): ExtendedAttribute {
  const record = asRecord(value, 'an extended attribute');
  return { name: Buffer.from(textField(record, 'name')), value: bytesField(record, 'value') };
}

function encodeIds(ids: readonly Id[]): string {
  return ids.length === 0 ? '[]' : `["${ids.join('","')}"]`;
}

function encodeUnknown(unknown: Readonly<Record<string, unknown>>): string {
  return Object.entries(unknown)
    .filter(([field]) => field !== GENERIC_ATTRIBUTES && field !== 'type')
    .map(([field, value]) => `,${goString(field)}:${JSON.stringify(value)}`)
    .join('');
}

function decodeUnknown(record: JsonRecord, type: string): Record<string, unknown> | undefined {
  // Called for every file that is read, and nearly never finds one: no list of fields is made for that.
  const entries: [string, unknown][] = [];
  for (const field in record) {
    if (!KNOWN_FIELDS.has(field)) entries.push([field, record[field]]);
  }
  if (!isNodeType(type)) {
    entries.push(['type', type]);
  }
  // Not by assignment: a field of the name __proto__ is a field like any other.
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function foreignType(node: Node): string | undefined {
  const type = node.unknown?.type;
  return typeof type === 'string' ? type : undefined;
}

function isNodeType(type: string): type is NodeType {
  return TYPES.has(type);
}

function timeField(record: JsonRecord, field: string): bigint {
  const text = textField(record, field);
  return text === '' ? ZERO_TIME : parseTime(text);
}

/** A number of 64 bits; `protectLargeNumbers` made a text of those that are too large for a double. */
function bigField(record: JsonRecord, field: string): bigint {
  const value = record[field];
  if (typeof value === 'string' && /^\d{16,20}$/.test(value)) {
    const number = BigInt(value);
    if (number < 2n ** 64n) {
      return number;
    }
    throw new Failure('repository.damaged', `The field "${field}" has more than 64 bits.`);
  }
  return BigInt(countField(record, field));
}
