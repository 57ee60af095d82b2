/*
 * The front is what the other tests judge by, so it is judged here: AWS's own client has to be
 * accepted, what is not its signature refused, and each fault has to be the fault that it says.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent as HttpsAgent } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { Certificates } from './support/certificates.mjs';
import * as faults from './support/faults.mjs';
import { CREDENTIALS, Front } from './support/front.mjs';
import { Kinesis } from './support/kinesis.mjs';
import { until } from './support/until.mjs';
import { TYPES, decode, encode } from './support/wire.mjs';

const STREAM = 'front';

let certificates;
let kinesis;
let front;
let ca;
const clients = [];

/* An SDK client of the front that tries once. */
function sdk({ url = front.url, credentials = CREDENTIALS, change } = {}) {
  const client = new KinesisClient({
    region: 'us-east-1', credentials, endpoint: url, maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpsAgent: new HttpsAgent({ ca, keepAlive: true }), requestTimeout: 10_000
    })
  });
  if (change) {
    client.middlewareStack.add((next) => (args) => {
      change(args.request);
      return next(args);
    }, { step: 'finalizeRequest', priority: 'low', name: 'tamper' });
  }
  clients.push(client);
  return client;
}

function put(client, records, stream = { StreamName: STREAM }) {
  return client.send(new PutRecordsCommand({ ...stream, Records: records }));
}

function some(count, bytes = 20) {
  return Array.from({ length: count }, (_, i) => ({
    PartitionKey: `key ${i} "é"`, Data: Buffer.alloc(bytes, 65 + i % 26)
  }));
}

async function stop() {
  clients.splice(0).forEach((client) => client.destroy());
  await front.stop();
}

before(async () => {
  certificates = await Certificates.make();
  ca = await readFile(await certificates.bundle());
  kinesis = await Kinesis.start();
  await kinesis.createStream(STREAM, 4);
});

after(async () => {
  await kinesis?.stop();
  await certificates?.remove();
});

describe('the front', () => {
  beforeEach(async () => {
    front = await Front.start({ kinesis, certificate: await certificates.leaf() });
  });
  afterEach(stop);

  const row = (name, body) => test(name, { timeout: 60_000 }, body);

  row('accepts the SDK and hands its records to the stream', async () => {
    const reply = await put(sdk(), some(20));
    assert.equal(reply.FailedRecordCount, 0);
    assert.equal(reply.Records.length, 20);
    assert.ok(reply.Records.every((one) => /^\d+$/.test(one.SequenceNumber)));
    assert.deepEqual(front.violations, []);
    assert.equal(front.statistics.records, 20);
    assert.equal(front.statistics.partitionKeys.size, 20);
    assert.deepEqual([...front.statistics.ciphers], ['TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256']);
    const read = await kinesis.readAll(STREAM);
    assert.equal(read.length, 20);
    assert.deepEqual(new Set(read.map((one) => one.partitionKey)), new Set(some(20).map((one) => one.PartitionKey)));
  });

  row('accepts a stream ARN', async () => {
    const arn = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`;
    const reply = await put(sdk(), some(1), { StreamARN: arn });
    assert.equal(reply.FailedRecordCount, 0);
    assert.deepEqual([...front.statistics.streams], [arn]);
  });

  row('passes a missing stream on as kinesis-local words it', async () => {
    await assert.rejects(put(sdk(), some(1), { StreamName: 'absent' }), { name: 'ResourceNotFoundException' });
  });

  row('splits a large call on the way and keeps the order of the results', async () => {
    const reply = await put(sdk(), some(12, 60_000));
    assert.equal(reply.FailedRecordCount, 0);
    assert.equal(reply.Records.length, 12);
    assert.deepEqual(front.violations, []);
  });

  const tampered = [
    ['body', (request) => { request.body = request.body.replace('"Data"', '"data"'); }],
    ['date', ({ headers }) => {
      headers['x-amz-date'] = headers['x-amz-date'].replace(/\dZ$/, (d) => `${(Number(d[0]) + 1) % 10}Z`);
    }],
    ['target', (request) => { request.headers['x-amz-target'] = 'Kinesis_20131202.PutRecord'; }],
    ['path', (request) => { request.path = '/x'; }],
    ['signature', ({ headers }) => {
      headers.authorization = headers.authorization.replace(/.$/, (d) => (d === '0' ? '1' : '0'));
    }],
    ['unsigned x-amz header', (request) => { request.headers['x-amz-other'] = '1'; }]
  ];
  for (const [what, change] of tampered) {
    row(`refuses a changed ${what}`, async () => {
      await assert.rejects(put(sdk({ change }), some(1)), { name: 'InvalidSignatureException' });
      assert.equal(front.refusals.length, 1);
      assert.equal(front.statistics.records, 0);
    });
  }

  row('refuses a wrong secret, an unknown key, another token, no signature', async () => {
    const wrong = { ...CREDENTIALS, secretAccessKey: 'x' };
    await assert.rejects(put(sdk({ credentials: wrong }), some(1)), { name: 'InvalidSignatureException' });
    for (const credentials of [{ ...CREDENTIALS, accessKeyId: 'AKIDX' }, { ...CREDENTIALS, sessionToken: 'x' }]) {
      await assert.rejects(put(sdk({ credentials }), some(1)), { name: 'UnrecognizedClientException' });
    }
    const change = (request) => {
      delete request.headers.authorization;
    };
    await assert.rejects(put(sdk({ change }), some(1)), { name: 'MissingAuthenticationTokenException' });
  });

  row('refuses a signature of another time and tells its own time', async () => {
    front.clockOffsetMs = 10 * 60 * 1000;
    await assert.rejects(put(sdk(), some(1)), (error) => /^Signature expired: /.test(error.message));
    front.clockOffsetMs = -10 * 60 * 1000;
    await assert.rejects(put(sdk(), some(1)), (error) => /^Signature not yet current: /.test(error.message));
  });

  row('notes broken limits', async () => {
    for (const records of [some(501), some(1, 1024 * 1024), some(6, 1_000_000)]) {
      await assert.rejects(put(sdk(), records), { name: 'ValidationException' });
    }
    assert.equal(front.violations.length, 3, front.violations.join('\n'));
  });

  row('fails a share of the records and forwards the others', async () => {
    const stream = 'front-share';
    await kinesis.createStream(stream, 1);
    front.fault = faults.failRecords(0.3);
    const reply = await put(sdk(), some(400), { StreamName: stream });
    const failed = reply.Records.filter((one) => one.ErrorCode);
    assert.equal(reply.FailedRecordCount, failed.length);
    assert.ok(failed.length > 80 && failed.length < 160, `${failed.length} of 400`);
    assert.ok(reply.Records.every((one) => Boolean(one.ErrorCode) !== Boolean(one.SequenceNumber)));
    const keys = new Set((await kinesis.readAll(stream)).map((one) => one.partitionKey));
    some(400).forEach((one, i) => assert.equal(keys.has(one.PartitionKey), !reply.Records[i].ErrorCode));
  });

  row('answers errors for a count of requests, then the usual', async () => {
    front.fault = faults.times(1, faults.refuse(503, 'ServiceUnavailableException'));
    const client = sdk();
    await assert.rejects(put(client, some(1)), (error) => error.$metadata.httpStatusCode === 503);
    assert.equal((await put(client, some(1))).FailedRecordCount, 0);
    assert.equal(front.statistics.connections, 1);
  });

  const wellFormed = [
    ['a chunked reply', faults.inChunks(7)], ['a reply that ends with the connection', faults.untilEnd()],
    ['interim replies first', faults.interimFirst()], ['a reply byte by byte', faults.inPieces(1)],
    ['a late reply', faults.delay(20)]
  ];
  for (const [what, fault] of wellFormed) {
    row(`${what}: the SDK reads it`, async () => {
      front.fault = faults.times(1, fault);
      const client = sdk();
      assert.equal((await put(client, some(3))).Records.length, 3);
      assert.equal((await put(client, some(3))).Records.length, 3);
    });
  }

  row('a close after the reply: the SDK has its reply', async () => {
    front.fault = faults.times(1, faults.close('after'));
    const client = sdk();
    assert.equal((await put(client, some(3))).Records.length, 3);
    await until('the connection is closed', () => front.openConnections === 0);
    assert.equal((await put(client, some(3))).Records.length, 3);
    assert.equal(front.statistics.connections, 2);
  });

  for (const where of ['before', 'head', 'body']) {
    for (const how of ['end', 'destroy', 'reset']) {
      const moment = where === 'before' ? 'before' : `in the ${where} of`;
      row(`a close by ${how} ${moment} the reply: the SDK fails`, async () => {
        front.fault = faults.times(1, faults.close(where, { how }));
        await assert.rejects(put(sdk(), some(3)));
        assert.equal((await put(sdk(), some(3))).FailedRecordCount, 0);
        assert.deepEqual(front.violations, []);
      });
    }
  }

  row('speaks plain HTTP on the TLS port when told to', async () => {
    front.connectionFault = faults.plainHttp;
    await assert.rejects(put(sdk(), some(1)));
    assert.equal(front.statistics.handshakes, 0);
  });

  row('shows another certificate when told to', async () => {
    front.useCertificate(await certificates.leaf({ ca: 'other' }));
    await assert.rejects(put(sdk(), some(1)), (error) => /self-signed|unable to/.test(error.message));
    front.useCertificate(await certificates.leaf({ names: ['elsewhere.test'] }));
    await assert.rejects(put(sdk(), some(1)), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    front.useCertificate(await certificates.leaf({ from: -3 * 86_400_000, until: -86_400_000 }));
    await assert.rejects(put(sdk(), some(1)), { code: 'CERT_HAS_EXPIRED' });
    assert.equal(front.statistics.requests, 0);
  });

  row('notes what is not HTTP/1.1', async () => {
    const socket = tlsConnect({ port: front.port, host: 'localhost', ca });
    socket.write('POST / HTTP/1.1\nHost: x\n\n\r\n\r\n');
    await until('the violation is noted', () => front.violations.length === 1);
    assert.match(front.violations[0], /does not end in CRLF/);
    socket.destroy();
  });
});

test('the front without TLS', { timeout: 60_000 }, async () => {
  front = await Front.start({ kinesis, plain: true });
  try {
    assert.equal((await put(sdk(), some(2))).FailedRecordCount, 0);
    assert.deepEqual(front.violations, []);
  } finally {
    await stop();
  }
});

/* --- CBOR, which the SDK for JavaScript does not write ------------------------------------------------ */

/* A signed POST of this body: { status, type, body }. */
async function post(body, type = TYPES.cbor) {
  const signer = new SignatureV4({
    credentials: CREDENTIALS, region: 'us-east-1', service: 'kinesis', sha256: Sha256, applyChecksum: false
  });
  const { headers: { host, ...headers } } = await signer.sign(new HttpRequest({
    method: 'POST', path: '/', body,
    headers: { host: `localhost:${front.port}`, 'content-type': type, 'x-amz-target': 'Kinesis_20131202.PutRecords' }
  }));
  const reply = await fetch(front.url, { method: 'POST', headers, body });
  return { status: reply.status, type: reply.headers.get('content-type'), body: Buffer.from(await reply.arrayBuffer()) };
}

describe('the front, CBOR', () => {
  const stream = 'front-cbor';

  before(() => kinesis.createStream(stream, 1));
  beforeEach(async () => {
    front = await Front.start({ kinesis, plain: true });
  });
  afterEach(stop);

  const row = (name, body) => test(name, { timeout: 60_000 }, body);
  const call = (records = some(3)) => ({
    StreamName: stream, Records: records.map(({ Data, PartitionKey }) => ({ Data, PartitionKey }))
  });

  row('a request goes through to the stream', async () => {
    const { status, type, body } = await post(encode(call(), 'cbor'));
    assert.deepEqual([status, type], [200, TYPES.cbor]);
    const { FailedRecordCount, Records } = decode(body, 'cbor');
    assert.equal(FailedRecordCount, 0);
    assert.ok(Records.length === 3 && Records.every((one) => /^\d+$/.test(one.SequenceNumber)));
    assert.deepEqual(front.violations, []);
    const read = await kinesis.readAll(stream);
    assert.deepEqual(read.map((one) => one.data), some(3).map((one) => one.Data));
  });

  row('a large call, records that fail, and results in order', async () => {
    front.fault = faults.failRecords(0.5);
    const { body } = await post(encode(call(some(12, 60_000)), 'cbor'));
    const { FailedRecordCount, Records } = decode(body, 'cbor');
    assert.equal(Records.length, 12);
    assert.equal(FailedRecordCount, Records.filter((one) => one.ErrorCode).length);
    assert.ok(Records.every((one) => Boolean(one.ErrorCode) !== Boolean(one.SequenceNumber)));
  });

  /* First bytes: a map without and with a length, and JSON. */
  for (const [replies, first, type] of [['cbor', [0xbf], TYPES.cbor], ['definite', [0xa2, 0xa3], TYPES.cbor], ['json', [0x7b], TYPES.json]]) {
    row(`replies as asked for: ${replies}`, async () => {
      front.replies = replies;
      const good = await post(encode(call(), 'cbor'));
      front.fault = faults.refuse(400, 'ThrottlingException', 'x');
      const refused = await post(encode(call(), 'cbor'));
      for (const answer of [good, refused]) {
        assert.equal(answer.type, type);
        assert.ok(first.includes(answer.body[0]), `${answer.body[0]}`);
      }
      const form = replies === 'json' ? 'json' : 'cbor';
      assert.equal(decode(good.body, form).Records.length, 3);
      assert.deepEqual(decode(refused.body, form), { __type: 'ThrottlingException', message: 'x' });
    });
  }

  const bad = [
    ['definite lengths', encode(call(), 'definite')],
    ['base64', encode({ ...call(), Records: [{ Data: 'aGVsbG8=', PartitionKey: 'k' }] }, 'cbor')],
    ['no UTF-8', Buffer.from(encode(call(), 'cbor').toString('latin1').replace('key 1', 'key \xff'), 'latin1')],
    ['something behind', Buffer.concat([encode(call(), 'cbor'), Buffer.from([0])])],
    ['half of it', encode(call(), 'cbor').subarray(0, -20)],
    ['JSON', encode({ ...call(), Records: [] }, 'json')],
    ['501 records', encode(call(some(501)), 'cbor')]
  ];
  for (const [what, body] of bad) {
    row(`notes ${what}`, async () => {
      const { status, body: text } = await post(body);
      assert.equal(status, 400);
      assert.equal(decode(text, 'cbor').__type, 'ValidationException');
      assert.equal(front.violations.length, 1, front.violations.join('\n'));
    });
  }
});

/* The vector of the reference, section 4.2. */
test('the tests\' encoder writes what the SDK for Java does', () => {
  const call = { StreamName: 's1', Records: [{ Data: Buffer.from('hello'), PartitionKey: 'pk' }] };
  assert.equal(encode(call, 'cbor').toString('hex'), 'bf6a53747265616d4e616d65627331675265636f7264739fbf6444617461' +
  '4568656c6c6f6c506172746974696f6e4b657962706bffffff');
  assert.equal(encode(call, 'definite').toString('hex'), 'a26a53747265616d4e616d65627331675265636f72647381a26444617461' +
  '4568656c6c6f6c506172746974696f6e4b657962706b');
});
