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
  { name: 'lines and gzip', env: { ...LINES, ...GZIP }, lines: true, gzip: true }
];

/* The lines of one record, each without the newline that ends it; what does not end so has another one at its end. */
function linesOf(bytes) {
  const lines = [];
  let begin = 0;
  for (let end; (end = bytes.indexOf(0x0a, begin)) >= 0; begin = end + 1) {
    lines.push(bytes.subarray(begin, end));
  }
  return begin < bytes.length ? [...lines, Buffer.concat([bytes.subarray(begin), Buffer.from('\n')])] : lines;
}

export function unfold({ lines, gzip } = {}, records) {
  return records.flatMap((record) => {
    const bytes = gzip ? gunzipSync(record) : record;
    return lines ? linesOf(bytes) : [bytes];
  });
}

/* As an event stands in a line: what JSON has between its tokens is no end of it. */
export function asLine({ lines } = {}, bytes) {
  return lines ? Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\n', ' '), 'latin1') : Buffer.from(bytes);
}
