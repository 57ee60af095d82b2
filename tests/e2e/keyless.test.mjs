/*
 * TELEMETRY_PARTITION_KEY=none: records without keys, to streams whose record distribution is AUTO, and to others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as faults from './support/faults.mjs';
import { FORMS, asLine, unfold } from './support/forms.mjs';
import { accepting, light } from './support/light.mjs';
import { jsonRecords } from './support/lines.mjs';
import { SERVERS, localFaults, localRun } from './support/local_servers.mjs';
import { finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

const NONE = { TELEMETRY_PARTITION_KEY: 'none' };
const WARNING = /: records need keys, and get random ones from now on \(TELEMETRY_PARTITION_KEY=none is /;
const KEY = /^[0-9a-f]{8}$/;
const NULL_KEY = "1 validation error detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: " +
  'Member must not be null';

/* The front takes records as given, into stand.arrived. */
function takes(keyless, fault = () => false) {
  return (front, stand) => {
    const accept = accepting(stand.arrived);
    front.keyless = keyless;
    front.fault = async (exchange) => await fault(exchange) || accept(exchange);
  };
}

const keysOf = ({ arrived }) => arrived.map(({ partitionKey }) => partitionKey);

/* --- a stream that takes them ----------------------------------------------------------------------------- */

for (const wire of ['cbor', 'json']) {
  light(`taken without keys: ${wire}`, {
    env: { ...NONE, TELEMETRY_WIRE: wire }, onFront: takes('taken')
  }, async (stand) => {
    const lines = Array.from({ length: 1_500 }, (_, i) => `line ${i}`);
    await stand.log(lines.slice(0, 1_000));
    await stand.log(lines.slice(1_000));
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual(arrived, lines);
    assert.ok(keysOf(stand).every((key) => key === undefined));
    const { requests, keyless, inCbor } = stand.front.statistics;
    assert.deepEqual([keyless, inCbor], [requests, wire === 'cbor' ? requests : 0]);
    const bytes = stand.arrived.reduce((sum, one) => sum + one.data.length, 0);
    assert.deepEqual([ledger.delivered, ledger.bytes, ledger.retried], [lines.length, bytes, 0]);
    assert.deepEqual(stand.complaints, []);
  });
}

/* All that comes, into front.arrived. */
function takesAll(front) {
  front.arrived = [];
  front.keyless = 'taken';
  front.fault = (exchange) => {
    const { Records } = exchange.call;
    front.arrived.push(...Records.map(({ Data }) => Buffer.from(Data, 'base64')));
    exchange.send(exchange.results(Records.map((_, i) => ({ SequenceNumber: String(i), ShardId: 's' }))));
    return true;
  };
}

for (const form of FORMS) {
  scenario(`taken without keys: ${form.name}`, {
    shards: 0, env: { ...NONE, ...form.env }, onFront: takesAll
  }, async (stand) => {
    const records = jsonRecords(1_000);
    await log(stand, records);
    const { ledger } = await finished(stand);
    const sent = form.messages ? records.map(({ record }) => Buffer.from(record)) :
        records.map((one) => Buffer.from(asLine(form, one.data)));
    assertSame(sent, unfold(form, stand.front.arrived));
    assert.equal(ledger.bytes, stand.front.arrived.reduce((sum, one) => sum + one.length, 0));
    assert.equal(stand.front.statistics.keyless, stand.front.statistics.requests);
  });
}

/* After that a refusal is what it ever was: the record that it is for is found, and leaves the way. */
light('a record that is refused after others were taken', {
  env: { ...NONE, TELEMETRY_FLUSH: 'end' }, onFront: takes('taken', (exchange) =>
    exchange.call.Records.some(({ Data }) => Buffer.from(Data, 'base64').includes('poison')) &&
    faults.refuse(400, 'ValidationException', NULL_KEY.replace('records.1', 'records.501'))(exchange))
}, async (stand) => {
  await stand.log(['first']);
  await stand.log(['a', 'poison', 'b']);
  await stand.log(['c']);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual(arrived.sort(), ['a', 'b', 'c', 'first']);
  assert.deepEqual([ledger.delivered, ledger.dropped.refused], [4, 1]);
  assert.equal(stand.front.statistics.keyless, stand.front.statistics.requests);
  assert.ok(!stand.complaints.some((one) => WARNING.test(one)));
});

/* What 200 bytes of an event come to on the wire: what TCP carries of requests, TLS and HTTP included. */
function counting(front) {
  takesAll(front);
  front.bytes = 0;
  const take = front.fault;
  front.fault = (exchange) => {
    const tcp = front.tcp(exchange.socket);
    front.bytes += tcp.bytesRead - (tcp.counted ?? 0);
    tcp.counted = tcp.bytesRead;
    return take(exchange);
  };
}

scenario('200 bytes of an event in CBOR', {
  shards: 0, env: { ...NONE, TELEMETRY_QUEUE_MAX_BYTES: '8388608' }, onFront: counting
}, async (stand) => {
  const lines = Array.from({ length: 10_000 }, (_, i) => ({ record: JSON.stringify(`line ${i} `.padEnd(198, '.')) }));
  await log(stand, lines);
  const { ledger } = await finished(stand);
  assert.deepEqual([ledger.delivered, ledger.bytes], [lines.length, 200 * lines.length]);
  const ratio = stand.front.bytes / ledger.bytes;
  assert.ok(ratio > 1.045 && ratio <= 1.06, `${ratio} of the data, ${stand.front.statistics.requests} requests`);
});

/* --- a stream that wants keys ----------------------------------------------------------------------------- */

const INVALID = { ErrorCode: 'ValidationException', ErrorMessage: NULL_KEY };
const each = (exchange) => {
  exchange.send(exchange.results(exchange.call.Records.map(() => INVALID)));
  return true;
};

function asMoto(exchange) {
  const refuse = exchange.form === 'cbor' ? faults.page(500, 'text/html', '<html>Internal Server Error</html>') :
      faults.refuse(400, 'InvalidArgumentException', 'partition_key');
  return refuse(exchange);
}

/* How it refuses, and how many requests without keys there are until it has: one in CBOR, and perhaps one in JSON. */
const WAYS = [
  ['ValidationException that names a record', faults.refuse(400, 'ValidationException', NULL_KEY), 1],
  ['ValidationException', faults.refuse(400, 'ValidationException'), 1],
  ['InvalidArgumentException', faults.refuse(400, 'InvalidArgumentException', 'partition_key'), 1],
  ['a code that nobody knows', faults.refuse(400, 'MissingParameter'), 2],
  ['SerializationException', faults.refuse(400, 'SerializationException'), 2],
  ['400 without a code', faults.page(400, 'text/plain', ''), 2],
  ['500 with a page to CBOR, InvalidArgumentException to JSON', asMoto, 2],
  ['each record by itself', each, 1]
];

for (const [what, refuse, keyless] of WAYS) {
  for (const wire of ['cbor', 'json']) {
    light(`refused without keys, ${wire}: ${what}`, {
      env: { ...NONE, TELEMETRY_WIRE: wire, AWS_MAX_ATTEMPTS: '1', TELEMETRY_FLUSH: 'end' }, onFront: takes(refuse)
    }, async (stand) => {
      await stand.log(['a', 'b']);
      assert.equal(stand.front.statistics.requests, (wire === 'cbor' ? keyless : 1) + 1);
      await stand.log(['c']);
      const { ledger, arrived } = await stand.finish();
      assert.deepEqual(arrived, ['a', 'b', 'c']);
      assert.deepEqual([ledger.delivered, ledger.dropped.total, ledger.breakerOpenings], [3, 0, 0]);
      assert.equal(ledger.bytes, stand.arrived.reduce((sum, one) => sum + one.data.length + 8, 0));
      assert.equal(new Set(keysOf(stand)).size, 3);
      assert.ok(keysOf(stand).every((key) => KEY.test(key)));
      assert.equal(stand.front.statistics.keyless, wire === 'cbor' ? keyless : 1);
      /* it was not the form */
      const { requests, inCbor } = stand.front.statistics;
      assert.equal(requests - inCbor, wire === 'cbor' ? keyless - 1 : requests);
      assert.equal(stand.complaints.length, 1);
      assert.match(stand.complaints[0], WARNING);
    });
  }
}

/* JSON alone, and no record without a key: each is found out, and neither is taken for the other. */
light('refused without keys, and in CBOR', {
  env: { ...NONE, TELEMETRY_FLUSH: 'end' },
  onFront: takes(faults.refuse(400, 'SerializationException'), faults.jsonOnly(faults.page(415, 'text/plain', '')))
}, async (stand) => {
  await stand.log(['a']);
  await stand.log(['b']);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual(arrived, ['a', 'b']);
  assert.equal(ledger.retried, 1);
  const { requests, keyless, inCbor } = stand.front.statistics;
  assert.deepEqual([requests, keyless, inCbor], [5, 2, 2]);
});

function failsThrice(front, stand) {
  stand.tries = [];
  const fail = faults.times(3, (exchange) => {
    stand.tries.push(exchange.call.Records.map(({ Data, PartitionKey }) => `${Data} ${PartitionKey}`));
    return faults.refuse(503, 'ServiceUnavailable')(exchange);
  });
  takes(faults.refuse(400, 'ValidationException', NULL_KEY), fail)(front, stand);
}

light('the same keys each time', { env: { ...NONE, TELEMETRY_FLUSH: 'end' }, onFront: failsThrice }, async (stand) => {
  await stand.log(['a', 'b', 'c']);
  await stand.finish();
  const taken = stand.arrived.map((one) => `${Buffer.from(one.data).toString('base64')} ${one.partitionKey}`).sort();
  assert.equal(stand.tries.length, 3);
  stand.tries.forEach((one) => assert.deepEqual(one.sort(), taken));
});

/* What has nothing to do with keys says nothing of them. */
for (const [what, fault] of [
  ['throttled', faults.refuse(400, 'ThrottlingException')], ['denied', faults.refuse(400, 'AccessDeniedException')],
  ['unavailable', faults.refuse(503, 'ServiceUnavailable')], ['failed', faults.refuse(500, 'InternalFailure')],
  ['all records fail', faults.failRecords(1)], ['reset', faults.close('before', { how: 'reset' })]
]) {
  light(`the first call without keys is ${what}`, {
    env: NONE, onFront: takes('taken', faults.times(2, fault))
  }, async (stand) => {
    await stand.log(['a', 'b']);
    const { arrived } = await stand.finish();
    assert.deepEqual([...new Set(arrived)].sort(), ['a', 'b']);
    assert.equal(stand.front.statistics.keyless, stand.front.statistics.requests);
    assert.ok(!stand.complaints.some((one) => WARNING.test(one)));
  });
}

/* What did not get through can be put into any stream. */
light('dead letters have keys', {
  env: { ...NONE, TELEMETRY_DEAD_LETTER: 'stderr' }, platform: { shutdownMs: 1_500 },
  onFront: takes('taken', faults.refuse(400, 'AccessDeniedException'))
}, async (stand) => {
  await stand.log(['a', 'b']);
  await stand.platform.shutdown();
  const letters = stand.logs.filter((one) => one.PartitionKey !== undefined);
  assert.deepEqual(letters.map(({ Data }) => Data), ['"a"', '"b"']);
  assert.ok(letters.every(({ PartitionKey }) => KEY.test(PartitionKey)));
});

/* --- local servers, of which only ministack takes records without keys --------------------------------------- */

for (const name of Object.keys(SERVERS)) {
  test(`500 lines without keys to ${name}`, { timeout: 600_000 }, async () => {
    const result = await localRun(name, 500, NONE);
    assert.deepEqual(localFaults(result), []);
    assert.equal(result.logs.some(({ message }) => WARNING.test(message)), !name.startsWith('ministack'));
  });
}
