/*
 * Log records for tests: each has an id, and says what data its stream record must have.
 */
import { dice } from '../../platform/dice.mjs';

/*
 * `count` records of a function that logs JSON, each event's record `bytes` long:
 * [{ record: JSON text, data: JSON text of its message }].
 */
export function jsonRecords(count, bytes = 200, prefix = 'json') {
  return Array.from({ length: count }, (_, i) => {
    const id = `${prefix}-${i}`;
    const message = { id, pad: '' };
    const empty = JSON.stringify({ timestamp: '2026-11-20T10:00:00.951Z', level: 'INFO', message });
    const pad = 'x'.repeat(Math.max(0, bytes - empty.length));
    return { record: empty.replace('"pad":""', `"pad":"${pad}"`), data: JSON.stringify({ id, pad }) };
  });
}

/* The same with random digits in the place of those that are alike, of which compression saves half. */
export function noisyRecords(count, bytes = 200, prefix = 'noise') {
  const roll = dice(count);
  const digits = (text) => text.replace(/x+"/, (pad) => pad.replace(/x/g, () => Math.floor(roll() * 16).toString(16)));
  return jsonRecords(count, bytes, prefix).map(({ record }) => {
    const noisy = digits(record);
    return { record: noisy, data: JSON.stringify(JSON.parse(noisy).message) };
  });
}

/* `count` text lines, one newline at the end of each as some loggers leave it: [{ record, data }]. */
export function textRecords(count, bytes = 200, { prefix = 'text', newline = true } = {}) {
  return Array.from({ length: count }, (_, i) => {
    const line = `${prefix}-${i} `.padEnd(bytes, 'line ');
    return { record: JSON.stringify(line + (newline ? '\n' : '')), data: JSON.stringify(line) };
  });
}

const CONTROLS = Array.from({ length: 32 }, (_, i) => `\\u${i.toString(16).padStart(4, '0')}`).join('');

/* One JSON string for each way to write a character. */
const STRINGS = [
  ['empty', '""'],
  ['short escapes', String.raw`"\" \\ \/ \b \f \n \r \t"`],
  ['escaped control characters', `"${CONTROLS}"`],
  ['upper and lower hex', String.raw`"\u00e9 \u00E9 \u00FF\uABCD\uabcd"`],
  ['escaped surrogate pair', String.raw`"\ud83d\ude00"`],
  ['lone surrogates', String.raw`"\ud83d x \ude00"`],
  ['escaped quote last', String.raw`"x\""`],
  ['backslash last', String.raw`"x\\"`],
  ['newline in the middle', String.raw`"a\nb"`],
  ['backslash and n, no newline', String.raw`"a\\n"`],
  ['brackets', '"}],[{ \\"time\\": ]}"'],
  ['delete and C1', '"\u007f\u0080\u009f"'],
  ['emoji and scripts', '"😀 👩‍👩‍👧 Ωμέγα 日本語 עברית \u2028\u2029\ufeff"'],
  ['last planes', '"\u{10ffff}\u{fffd}"']
];

/* Other JSON values that a record can be. */
const VALUES = [
  ['number', '-12.5e+30'], ['true', 'true'], ['false', 'false'], ['null', 'null'], ['array', '[1,[2,["]"]],{}]'],
  ['empty object', '{}'], ['empty array', '[]'],
  ['blanks', '{ "a" :\t[ 1 ,\r\n 2 ] , "b" : { } }'],
  ['deep', `${'[{"a":'.repeat(500)}1${'}]'.repeat(500)}`],
  ['long number', `1${'0'.repeat(500)}`],
  ['same name twice', '{"a":1,"a":2}']
];

/* Bytes that are no UTF-8, inside a JSON string. */
const BROKEN = [
  ['lone continuation', [0x80]], ['cut two-byte', [0xc3]], ['overlong slash', [0xc0, 0xaf]],
  ['never a byte', [0xff, 0xfe]], ['UTF-8 of a surrogate', [0xed, 0xa0, 0x80]],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]], ['cut emoji', [0xf0, 0x9f, 0x98]]
];

/* [name, record] pairs, record as a Buffer of raw JSON. */
export const oddRecords = [
  ...STRINGS.map(([name, json]) => [`string: ${name}`, Buffer.from(json)]),
  ...VALUES.map(([name, json]) => [`value: ${name}`, Buffer.from(json)]),
  ...BROKEN.map(([name, bytes]) => [`bytes: ${name}`, Buffer.from([0x22, 0x61, ...bytes, 0x62, 0x22])])
];

/* Those that a function can log: Lambda hands over UTF-8, in which lines of text are written without such escapes. */
export const loggableRecords = oddRecords.filter(([name]) => !name.startsWith('bytes:') && name !== 'string: lone surrogates');

/* A single text line of `bytes` bytes, which carries an id at both ends. */
export function longLine(bytes, id) {
  const pad = '0123456789abcdef'.repeat(bytes / 16 + 1).slice(0, bytes - 2 * id.length - 2);
  return Buffer.from(JSON.stringify(`${id} ${pad} ${id}`));
}
