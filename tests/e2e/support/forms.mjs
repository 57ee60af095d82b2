/*
 * The forms that records may have beside one event each, and what a consumer makes of them.
 *
 *   for (const form of FORMS) { scenario(form.name, { env: form.env }, …) }
 *   const lines = unfold(form, end.records.map((one) => one.data));   // Buffers, one for each event
 */
import { gunzipSync } from 'node:zlib';

const LINES = { TELEMETRY_AGGREGATION: 'lines' };
const GZIP = { TELEMETRY_COMPRESSION: 'gzip' };

export const FORMS = [
  { name: 'lines', env: LINES, lines: true, gzip: false },
  { name: 'gzip', env: GZIP, lines: false, gzip: true },
  { name: 'lines and gzip', env: { ...LINES, ...GZIP }, lines: true, gzip: true },
  { name: 'cloudwatch', env: { TELEMETRY_RECORD_FORMAT: 'cloudwatch' }, lines: false, gzip: true, messages: true }
];

/* JSON without what it has between its tokens. */
const compact = (json) => json.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/gu, '$1');

/* What a line is in CloudWatch Logs: text as it came, with its newline; JSON as it is. Of the text of an event. */
export function asMessage(event) {
  const record = event.slice(event.indexOf('"record":') + 9, -1);
  if (!record.startsWith('"')) {
    return compact(record);
  }
  const text = JSON.parse(record);
  return text.endsWith('\n') ? text : `${text}\n`;
}

/* The lines of one record, each without the newline that ends it; what does not end so has another one at its end. */
function linesOf(bytes) {
  const lines = [];
  let begin = 0;
  for (let end; (end = bytes.indexOf(0x0a, begin)) >= 0; begin = end + 1) {
    lines.push(bytes.subarray(begin, end));
  }
  return begin < bytes.length ? [...lines, Buffer.concat([bytes.subarray(begin), Buffer.from('\n')])] : lines;
}

export function unfold({ lines, gzip, messages } = {}, records) {
  return records.flatMap((record) => {
    const bytes = gzip ? gunzipSync(record) : record;
    if (messages) {
      return JSON.parse(bytes.toString('latin1')).logEvents.map(({ message }) => Buffer.from(message));
    }
    return lines ? linesOf(bytes) : [bytes];
  });
}

/* As an event stands in a line: what JSON has between its tokens is no end of it. */
export function asLine({ lines, messages } = {}, bytes) {
  if (messages) {
    return Buffer.from(asMessage(Buffer.from(bytes).toString('latin1'))); /* bytes are characters */
  }
  return lines ? Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\n', ' '), 'latin1') : Buffer.from(bytes);
}
