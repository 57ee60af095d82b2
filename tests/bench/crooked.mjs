/*
 * An extension for the tests of the bench host: it delivers what it is sent at each runtimeDone, and can be
 * told to do one thing wrong. Signs with Node's own crypto, so that the host's sums are checked by another's.
 *
 *   node crooked.mjs WAY...      ways: json, cbor, definite (CBOR of definite lengths), strings (subscribes
 *                                with schema 2022-07-01), lose, twice, change, mis-sign, foreign, leave, fail
 */
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';

const ways = new Set(process.argv.slice(2));
const { env } = process;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function call(client, options, body = '') {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(body), ...options.headers };
    const request = client.request({ ...options, headers }, (reply) => {
      const chunks = [];
      reply.on('data', (chunk) => chunks.push(chunk));
      reply.on('end', () => resolve({ headers: reply.headers, status: reply.statusCode, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject).end(body);
  });
}

const [apiHost, apiPort] = env.AWS_LAMBDA_RUNTIME_API.split(':');
let identity = {};
const api = (method, path, body, headers = {}) =>
  call(http, { host: apiHost, port: apiPort, method, path, headers: { ...identity, ...headers } }, body);

/* --- PutRecords --- */

function cborHead(type, length) {
  return length < 24 ? Buffer.from([type << 5 | length]) : Buffer.from([type << 5 | 25, length >> 8, length & 255]);
}

const cborText = (text) => Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)]);

function cborContainer(type, length, items) {
  return ways.has('definite') ? Buffer.concat([cborHead(type, length), ...items]) :
      Buffer.concat([Buffer.from([type << 5 | 31]), ...items, Buffer.from([255])]);
}

function cborBody(records) {
  const entries = records.map((data) => cborContainer(5, 2, [
    cborText('PartitionKey'), cborText('0f3a61c2'), cborText('Data'), cborHead(2, data.length), data]));
  return cborContainer(5, 2, [
    cborText('Records'), cborContainer(4, entries.length, entries), cborText('StreamName'), cborText('s1')]);
}

function jsonBody(records) {
  return Buffer.from(JSON.stringify({
    StreamName: 's1', Records: records.map((data) => ({ Data: data.toString('base64'), PartitionKey: '0f3a61c2' }))
  }));
}

function signed(headers, body) {
  const date = headers['x-amz-date'].slice(0, 8);
  const scope = `${date}/${env.AWS_REGION}/kinesis/aws4_request`;
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = ['POST', '/', '', ...lines, '', names.join(';'), sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce(hmac, `AWS4${env.AWS_SECRET_ACCESS_KEY}${ways.has('mis-sign') ? 'x' : ''}`);
  return {
    ...headers,
    Authorization: `AWS4-HMAC-SHA256 Credential=${env.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names.join(';')}, ` +
      `Signature=${hmac(key, text).toString('hex')}`
  };
}

async function put(records) {
  const { host, hostname, port } = new URL(env.AWS_ENDPOINT_URL_KINESIS);
  const cbor = ways.has('cbor') || ways.has('definite');
  const body = (cbor ? cborBody : jsonBody)(records);
  const headers = signed({
    host, 'content-type': `application/x-amz-${cbor ? 'cbor' : 'json'}-1.1`,
    'x-amz-date': new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
    'x-amz-security-token': env.AWS_SESSION_TOKEN, 'x-amz-target': 'Kinesis_20131202.PutRecords'
  }, body);
  const ca = readFileSync(env.AWS_CA_BUNDLE);
  const reply = await call(https, { hostname, port, method: 'POST', path: '/', headers, ca }, body);
  const type = cbor ? 0xbf : JSON.parse(reply.body).Records.length;
  if (reply.status !== 200 || type !== (cbor ? reply.body[0] : records.length)) {
    throw new Error(`PutRecords: ${reply.status} ${reply.body.subarray(0, 200)}`);
  }
}

/* The one thing wrong, with the records of an invocation. */
function spoiled(records) {
  const [first, ...rest] = records;
  if (ways.has('lose')) {
    return rest;
  }
  if (ways.has('twice')) {
    return [first, ...records];
  }
  if (ways.has('change')) {
    first[50] ^= 1;
  }
  return ways.has('foreign') ? [Buffer.from('"hello"'), ...records] : records;
}

/* --- the extension --- */

/*
 * The value of message as it stands in the text: JSON.stringify gives it back, since nothing is escaped there
 * that needs not be.
 */
function dataOf(record) {
  if ((typeof record === 'string') !== ways.has('strings')) {
    throw new Error(`a record of another schema: ${JSON.stringify(record)}`);
  }
  const { message } = typeof record === 'string' ? JSON.parse(record) : record;
  return Buffer.from(JSON.stringify(message));
}

let queued = [];
let done; // resolves the invocation that runs

async function take(events) {
  queued.push(...events.filter(({ type }) => type === 'function').map(({ record }) => dataOf(record)));
  if (events.some(({ type }) => type === 'platform.runtimeDone')) {
    const records = spoiled(queued);
    queued = [];
    for (let i = 0; i < records.length; i += 500) {
      await put(records.slice(i, i + 500));
    }
    done();
  }
}

const listener = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.end();
    take(JSON.parse(Buffer.concat(chunks))).catch((error) => {
      console.error(error);
      process.exit(1);
    });
  });
});

const registered = await api('POST', '/2020-01-01/extension/register', '{"events":["INVOKE","SHUTDOWN"]}', {
  'Lambda-Extension-Name': 'crooked'
});
identity = { 'Lambda-Extension-Identifier': registered.headers['lambda-extension-identifier'] };
await new Promise((resolve) => listener.listen(Number(env.TELEMETRY_LISTENER_PORT), '127.0.0.1', resolve));
await api('PUT', '/2022-07-01/telemetry', JSON.stringify({
  schemaVersion: ways.has('strings') ? '2022-07-01' : '2022-12-13', types: ['platform', 'function'],
  destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${env.TELEMETRY_LISTENER_PORT}/events` }
}));
for (;;) {
  if (ways.has('leave')) {
    process.exit(0);
  }
  const ended = new Promise((resolve) => (done = resolve));
  const { body } = await api('GET', '/2020-01-01/extension/event/next');
  if (JSON.parse(body).eventType === 'SHUTDOWN') {
    process.exit(ways.has('fail') ? 3 : 0);
  }
  await ended;
}
