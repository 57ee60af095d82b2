/*
 * The two forms of AWS's protocol, JSON 1.1 and CBOR 1.1.
 *
 *   formOf(request)              'cbor' or 'json', null for another content type
 *   encode(value, form)          form as well 'definite': CBOR with definite lengths
 *   decode(bytes, form)          throws
 *
 * CBOR is read by AWS's own decoder, and written by its own encoder where lengths are definite.
 */
import { cbor } from '@smithy/core/cbor';
import { values } from './http1.mjs';

export const TYPES = {
  cbor: 'application/x-amz-cbor-1.1', definite: 'application/x-amz-cbor-1.1', json: 'application/x-amz-json-1.1'
};

export function formOf(request) {
  const [type] = values(request, 'content-type');
  return ['cbor', 'json'].find((form) => TYPES[form] === type) ?? null;
}

/* The shortest head. */
function head(major, number) {
  const size = [24, 2 ** 8, 2 ** 16, 2 ** 32].findIndex((limit) => number < limit);
  const bytes = Buffer.alloc([1, 2, 3, 5][size]);
  bytes[0] = major << 5 | (size === 0 ? number : 23 + size);
  if (size > 0) {
    bytes.writeUIntBE(number, 1, bytes.length - 1);
  }
  return bytes;
}

const END = Buffer.from([0xff]);
const WORDS = new Map([[false, 0xf4], [true, 0xf5], [null, 0xf6]]);

function string(major, bytes) {
  return [head(major, bytes.length), bytes];
}

/* As Jackson's generator in the SDK for Java writes it: maps and arrays without a length. */
function pieces(value) {
  if (WORDS.has(value)) {
    return [Buffer.from([WORDS.get(value)])];
  }
  if (typeof value === 'number') {
    return [head(0, value)];
  }
  if (typeof value === 'string') {
    return string(3, Buffer.from(value));
  }
  if (value instanceof Uint8Array) {
    return string(2, value);
  }
  if (Array.isArray(value)) {
    return [Buffer.from([0x9f]), ...value.flatMap(pieces), END];
  }
  const members = Object.entries(value).flatMap(([name, one]) => [...pieces(name), ...pieces(one)]);
  return [Buffer.from([0xbf]), ...members, END];
}

export function encode(value, form) {
  if (form === 'json') {
    return Buffer.from(JSON.stringify(value));
  }
  return form === 'definite' ? Buffer.from(cbor.serialize(value)) : Buffer.concat(pieces(value));
}

export function decode(bytes, form) {
  return form === 'json' ? JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) : cbor.deserialize(bytes);
}
