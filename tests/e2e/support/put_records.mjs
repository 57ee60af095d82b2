/*
 * What a PutRecords request may look like, and sending one on to kinesis-local.
 *
 *   const { call, faults } = parsePutRecords(request, { keyless });     // faults: text for each rule that it breaks
 *   const reply = await forward(exchange, { port, agent });
 *
 * Whichever form a request has, in `call` each Data is text in base64.
 */
import { request as httpRequest } from 'node:http';
import { values } from './http1.mjs';
import { TYPES, decode, encode, formOf } from './wire.mjs';

export const RECORDS_MAX = 500;
/* Kinesis takes 10 MiB by now; 5 MiB is what every region and emulator takes, so the extension keeps to it. */
export const BYTES_MAX = 5 * 1024 * 1024;
const RECORD_MAX = 1024 * 1024;
const KEY_MAX = 256;

/*
 * kinesis-local's time grows with the square of the body's length (5 MiB: 3 seconds); larger calls
 * reach it as several smaller ones.
 */
const FORWARD_BYTES = 256 * 1024;

/* The headers that kinesis-local reads: operation, encoding, and region and account of the signer. */
const FORWARDED = ['content-type', 'x-amz-target', 'x-amz-date', 'x-amz-security-token', 'authorization'];

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodedLength(base64) {
  return base64.length / 4 * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);
}

/* Bytes that count against the limits: data before base64, and the key if there is one. */
export function recordBytes(record) {
  return decodedLength(record.Data) + Buffer.byteLength(record.PartitionKey ?? '');
}

/* Whether the call's records have no keys, which a stream with record distribution AUTO takes. */
export function isKeyless({ Records }) {
  return Records.every(({ PartitionKey }) => PartitionKey === undefined);
}

function recordFaults(record, index, keyless) {
  const where = `record ${index}`;
  const members = Object.keys(record).filter((name) => !['Data', 'PartitionKey', 'ExplicitHashKey'].includes(name));
  if (members.length > 0) {
    return [`${where}: member ${members[0]}`];
  }
  if (typeof record.Data !== 'string' || !BASE64.test(record.Data)) {
    return [`${where}: Data is not base64`];
  }
  const key = record.PartitionKey;
  if (!keyless && (typeof key !== 'string' || [...key].length < 1 || [...key].length > KEY_MAX)) {
    return [`${where}: PartitionKey of ${key?.length} characters`];
  }
  return recordBytes(record) > RECORD_MAX ? [`${where}: ${recordBytes(record)} bytes`] : [];
}

function callFaults(call, keyless) {
  const faults = [];
  const others = Object.keys(call).filter((name) => !['StreamName', 'StreamARN', 'Records', 'DryRun'].includes(name));
  if (others.length > 0) {
    faults.push(`member ${others[0]}`);
  }
  if (!call.StreamName && !call.StreamARN) {
    faults.push('no stream');
  }
  if (!Array.isArray(call.Records) || call.Records.length < 1 || call.Records.length > RECORDS_MAX) {
    return [...faults, `${call.Records?.length} records`];
  }
  const without = keyless && isKeyless(call);
  faults.push(...call.Records.flatMap((record, index) => recordFaults(record, index, without)));
  const bytes = faults.length === 0 ? call.Records.reduce((sum, one) => sum + recordBytes(one), 0) : 0;
  return bytes > BYTES_MAX ? [`${bytes} bytes of data and keys`] : faults;
}

/* keyless: all records of a call may have no key. */
export function parsePutRecords(request, { keyless = false } = {}) {
  const faults = [];
  const [type] = values(request, 'content-type');
  const [target] = values(request, 'x-amz-target');
  if (request.method !== 'POST' || request.path !== '/') {
    faults.push(`${request.method} ${request.path}`);
  }
  const form = formOf(request);
  if (form === null || target !== 'Kinesis_20131202.PutRecords') {
    return { call: null, faults: [...faults, `content type ${type}, target ${target}`] };
  }
  try {
    const call = decode(request.body, form);
    faults.push(...form === 'cbor' ? cborFaults(call, request.body) : []);
    return { call, faults: [...faults, ...callFaults(call, keyless)] };
  } catch (error) {
    return { call: null, faults: [...faults, `body: ${error.message}`] };
  }
}

/*
 * What the SDK for Java would not have written: nothing else is known to be taken by Kinesis. Leaves
 * the call as JSON has it.
 */
function cborFaults(call, body) {
  const same = encode(call, 'cbor').equals(body);
  for (const record of Array.isArray(call.Records) ? call.Records : []) {
    record.Data = record.Data instanceof Uint8Array ? Buffer.from(record.Data).toString('base64') : null;
  }
  return same ? [] : ['body: CBOR in another form than that of the SDK for Java'];
}

/* Runs of records, each within FORWARD_BYTES or of one record. */
function portions(records) {
  const all = [];
  let bytes = 0;
  for (const record of records) {
    const size = recordBytes(record);
    if (all.length === 0 || bytes + size > FORWARD_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1).push(record);
    bytes += size;
  }
  return all;
}

function post(request, body, { port, agent }) {
  const headers = Object.fromEntries(FORWARDED.flatMap((name) =>
    values(request, name).map((value) => [name, value])));
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: '127.0.0.1', port, agent, method: 'POST', path: '/',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode, type: response.headers['content-type'], body: Buffer.concat(pieces)
      }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/* Results in request order: those that kinesis-local gave, and the failures put between them. */
function merged(count, failing, results) {
  const given = results[Symbol.iterator]();
  return Array.from({ length: count }, (_, index) => failing.get(index) ?? given.next().value);
}

/* A reply of these results. */
export function resultsReply(form, Records) {
  const FailedRecordCount = Records.filter((one) => one.ErrorCode).length;
  return { status: 200, type: TYPES[form], body: encode({ FailedRecordCount, Records }, form) };
}

function partBody(call, Records, form) {
  const bytes = ({ Data, ...record }) => ({ Data: Buffer.from(Data, 'base64'), ...record });
  return encode({ ...call, Records: form === 'cbor' ? Records.map(bytes) : Records }, form);
}

/*
 * Sends the call's records to kinesis-local, less those in `failing` (index to the result to give).
 * It takes CBOR itself, with indefinite lengths, and answers in it, with definite ones: requests and
 * replies go through as they are where they need not be taken apart. So does its refusal.
 */
export async function forward({ call, request, failing, form, replyForm }, server) {
  const kept = call.Records.filter((_, index) => !failing.has(index));
  const parts = portions(kept);
  if (failing.size === 0 && parts.length === 1) {
    return post(request, request.body, server);
  }
  const results = [];
  for (const Records of parts) {
    const answer = await post(request, partBody(call, Records, form), server);
    if (answer.status !== 200) {
      return answer;
    }
    results.push(...decode(answer.body, form).Records);
  }
  return resultsReply(replyForm, merged(call.Records.length, failing, results));
}
