/*
 * Records that are larger than Kinesis takes, and what TELEMETRY_OVERSIZE makes of them.
 */
import assert from 'node:assert/strict';
import { gate } from './support/faults.mjs';
import { jsonRecords, longLine, textRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const MIB = 1024 * 1024;
const ROOMY = { TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB) };

const small = textRecords(20);

/* One invocation that logs a record among small ones; the stream's records, small ones left out. */
async function logAmongOthers(stand, record) {
  const beside = small.map((one) => one.record);
  await log(stand, [...beside.slice(0, 10), record, ...beside.slice(10)]);
  const end = await finished(stand);
  const others = new Set(small.map((one) => one.data));
  const arrived = data(end.records).map(String);
  assertSame(data(small), arrived.filter((one) => others.has(one)));
  return { end, large: arrived.filter((one) => !others.has(one)) };
}

for (const format of ['message', 'event', 'enriched']) {
  scenario(`truncate, format ${format}: valid JSON with a marker, as large as may be`,
    { env: { ...ROOMY, TELEMETRY_RECORD_FORMAT: format } }, async (stand) => {
      const line = longLine(MIB + 4000, 'too-long');
      await log(stand, [line]);
      const end = await finished(stand);
      const [record] = end.records;
      assert.equal(end.records.length, 1);
      assert.ok(record.data.length <= MIB && record.data.length > MIB - 100, `${record.data.length} bytes`);
      const value = JSON.parse(record.data);
      const text = format === 'message' ? value : value.record;
      assert.match(text, /^too-long 0123.*\.\.\.\[truncated \d+ bytes\]$/);
      assert.deepEqual([end.ledger.received, end.ledger.delivered, end.ledger.truncated], [1, 1, 1]);
      if (format === 'enriched') {
        assert.equal(typeof value.seq, 'number');
      }
    });
}

scenario('truncate: the longest string of an object goes, its other members stay',
  { env: ROOMY }, async (stand) => {
    const message = { id: 7, text: 'ü'.repeat(MIB / 2 + 9), level: 'INFO' };
    const { end, large } = await logAmongOthers(stand, JSON.stringify({ level: 'INFO', message }));
    assert.equal(large.length, 1);
    const value = JSON.parse(large[0]);
    assert.deepEqual([value.id, value.level], [7, 'INFO']);
    assert.match(value.text, /^ü+\.\.\.\[truncated \d+ bytes\]$/);
    assert.equal(end.ledger.truncated, 1);
  });

scenario('truncate: an array of many small values', { env: ROOMY }, async (stand) => {
  const numbers = Array.from({ length: 135_000 }, (_, i) => 1_000_000 + i);
  const { end, large } = await logAmongOthers(stand, JSON.stringify(numbers));
  const value = JSON.parse(large[0]);
  assert.deepEqual(value.slice(0, 3), [1_000_000, 1_000_001, 1_000_002]);
  assert.match(value.at(-1), /truncated/);
  assert.deepEqual([end.ledger.delivered, end.ledger.truncated], [21, 1]);
});

/* More than the listener holds of one event. */
const beyond = [
  ['a string', JSON.stringify('x'.repeat(3 * MIB)), (value) => assert.match(value, /^x{1000000}x*\.\.\.\[truncated\]$/)],
  ['an array', JSON.stringify(Array.from({ length: 400_000 }, (_, i) => i)), (value) => {
    assert.deepEqual(value.slice(0, 3), [0, 1, 2]);
    assert.match(value.at(-1), /truncated/);
  }],
  ['an object', `{"a":{"b":"${'\\u00e9'.repeat(MIB)}","c":1}}`, (value) => assert.match(value.a.b, /^é+\.\.\.\[truncated\]$/)]
];
for (const [what, record, check] of beyond) {
  scenario(`truncate: ${what} of several MiB`, { env: ROOMY }, async (stand) => {
    const { end, large } = await logAmongOthers(stand, record);
    assert.equal(large.length, 1);
    check(JSON.parse(large[0]));
    assert.deepEqual([end.ledger.delivered, end.ledger.truncated, end.ledger.dropped.total], [21, 1, 0]);
  });
}

scenario('split: pieces that are the record again when put together',
  { env: { ...ROOMY, TELEMETRY_OVERSIZE: 'split', TELEMETRY_RECORD_FORMAT: 'message' } }, async (stand) => {
    const line = longLine(MIB + 40_000, 'too-long');
    const { end, large } = await logAmongOthers(stand, line);
    const pieces = large.map((one) => JSON.parse(one)).sort((a, b) => a.split.part - b.split.part);
    assert.deepEqual(pieces.map((one) => one.split.part), pieces.map((_, i) => i + 1));
    assert.ok(pieces.every((one) => one.split.parts === pieces.length && one.split.id === pieces[0].split.id));
    assert.equal(pieces.map((one) => one.text).join(''), line.toString());
    assert.ok(large.every((one) => one.length <= MIB));
    const { received, delivered, split } = end.ledger;
    assert.deepEqual({ received, delivered, split }, { received: 21, delivered: 21, split: pieces.length - 1 });
  });

scenario('drop: counted, the others arrive', { env: { ...ROOMY, TELEMETRY_OVERSIZE: 'drop' } }, async (stand) => {
  const { end, large } = await logAmongOthers(stand, longLine(MIB + 4000, 'too-long'));
  assert.deepEqual(large, []);
  assert.deepEqual([end.ledger.received, end.ledger.dropped.oversize], [21, 1]);
});

scenario('a record larger than a small queue is cut to what the queue can hold',
  { env: { TELEMETRY_QUEUE_MAX_BYTES: '65536' } }, async (stand) => {
    const { end, large } = await logAmongOthers(stand, longLine(250_000, 'too-long'));
    assert.match(JSON.parse(large[0]), /^too-long .*truncated/);
    assert.equal(end.ledger.delivered, 21);
  });

/* A stream whose limit is lower than ours, which says so as Kinesis does. */
function limit(bytes) {
  return (exchange) => {
    const errors = exchange.call.Records
      .map((one, i) => [Buffer.from(one.Data, 'base64').length, i + 1])
      .filter(([length]) => length > bytes)
      .map(([, n]) => `Value at 'records.${n}.member.data' failed to satisfy constraint: ` +
        `Member must have length less than or equal to ${bytes}`);
    if (errors.length === 0) {
      return false;
    }
    exchange.send(exchange.error(400, 'ValidationException',
      `${errors.length} validation error${errors.length > 1 ? 's' : ''} detected: ${errors.join('; ')}.`));
    return true;
  };
}

for (const [policy, expected] of [['truncate', 3], ['split', 6], ['drop', 0]]) {
  scenario(`records that the service names as too large: ${policy}`,
    { env: { ...ROOMY, TELEMETRY_OVERSIZE: policy } }, async (stand) => {
      stand.front.fault = limit(100_000);
      const records = jsonRecords(300);
      const long = [1, 2, 3].map((n) => longLine(150_000, `long-${n}`));
      const all = [...records.slice(0, 100), long[0], long[1], ...records.slice(100), long[2]];
      await log(stand, all.map((one) => one.record ?? one));
      const end = await finished(stand);
      const known = new Set(data(records));
      const arrived = data(end.records).map(String);
      assertSame(data(records), arrived.filter((one) => known.has(one)));
      assert.equal(arrived.length - records.length, expected);
      arrived.forEach((one) => JSON.parse(one));
      assert.equal(end.ledger.dropped.total, policy === 'drop' ? 3 : 0);
      assert.ok(stand.front.statistics.requests < 20, `${stand.front.statistics.requests} requests`);
    });
}

/* `fault`, once the gate is open. */
function behind(door, fault) {
  return async (exchange) => {
    await door.fault(exchange);
    return fault(exchange);
  };
}

/* The records of which these are the pieces. */
function joined(pieces) {
  const texts = new Map();
  for (const { split, text } of pieces.map((one) => JSON.parse(one)).sort((a, b) => a.split.part - b.split.part)) {
    texts.set(split.id, (texts.get(split.id) ?? '') + text);
  }
  return [...texts.values()];
}

/* Records too large for the service in a queue that has no room for anything more. */
async function splitInAFullQueue(stand, fault) {
  const door = gate();
  stand.front.fault = behind(door, fault);
  const long = [1, 2, 3].map((n) => longLine(15_000, `long-${n}`));
  const small = jsonRecords(600);
  const logging = log(stand, [long[0], long[1], ...small.slice(0, 100), long[2], ...small.slice(100)]);
  await until('a call', () => door.waiting > 0);
  door.open();
  await logging;
  const end = await finished(stand);
  const known = new Set(data(small));
  const arrived = data(end.records).map(String);
  assertSame(data(small), arrived.filter((one) => known.has(one)));
  return { end, long, large: arrived.filter((one) => !known.has(one)) };
}

/* The platform is kept waiting by the queue for the budget at most: here for as long as a slow machine takes. */
const CRAMPED = {
  env: { TELEMETRY_QUEUE_MAX_BYTES: '65536', TELEMETRY_FLUSH_BUDGET_MS: '60000', TELEMETRY_OVERSIZE: 'split' }
};

scenario('split, the queue is full: the record waits until its pieces have room', CRAMPED, async (stand) => {
  const { end, long, large } = await splitInAFullQueue(stand, limit(10_000));
  assertSame(long, joined(large));
  assert.deepEqual([end.ledger.dropped.total, end.ledger.received], [0, 603]);
});

scenario('split by halves, the queue is full', CRAMPED, async (stand) => {
  const { end, large } = await splitInAFullQueue(stand, tooLarge(10_000));
  assert.ok(large.length >= 6, `${large.length} pieces`);
  assert.deepEqual([end.ledger.dropped.total, end.ledger.received, end.ledger.delivered], [0, 603, 603]);
});

/* A server, or something before it, that refuses what is too large without saying more. */
function tooLarge(bytes) {
  return (exchange) => {
    if (exchange.call.Records.every((one) => Buffer.from(one.Data, 'base64').length <= bytes)) {
      return false;
    }
    exchange.send({ status: 413, headers: [['Content-Type', 'text/html']], body: '<html>Request Entity Too Large</html>' });
    return true;
  };
}

for (const [policy, pieces] of [['truncate', 2], ['split', 8], ['drop', 0]]) {
  scenario(`413 for the sake of two records: ${policy}`,
    { env: { ...ROOMY, TELEMETRY_OVERSIZE: policy } }, async (stand) => {
      stand.front.fault = tooLarge(50_000);
      const records = jsonRecords(300);
      const long = [1, 2].map((n) => longLine(150_000, `long-${n}`));
      const all = [...records.slice(0, 100), long[0], ...records.slice(100), long[1]];
      await log(stand, all.map((one) => one.record ?? one));
      const end = await finished(stand);
      const known = new Set(data(records));
      const arrived = data(end.records).map(String);
      assertSame(data(records), arrived.filter((one) => known.has(one)));
      arrived.forEach((one) => JSON.parse(one));
      assert.ok(arrived.length - records.length >= pieces, `${arrived.length - records.length} of the large ones`);
      assert.equal(end.ledger.dropped.total, policy === 'drop' ? 2 : 0);
    });
}

/* Refuses every request that holds a record with this word, without saying which it is. */
function poison(word, type) {
  return (exchange) => {
    if (!exchange.call.Records.some((one) => Buffer.from(one.Data, 'base64').includes(word))) {
      return false;
    }
    exchange.send(exchange.error(400, type, 'Something is wrong with it.'));
    return true;
  };
}

for (const type of ['ValidationException', 'InvalidArgumentException']) {
  scenario(`${type} that names no record: the offender is found, the rest is delivered`, {}, async (stand) => {
    stand.front.fault = poison('poison', type);
    const records = jsonRecords(700);
    const bad = jsonRecords(2, 200, 'poison');
    await log(stand, [...records.slice(0, 400), bad[0], ...records.slice(400, 600), bad[1], ...records.slice(600)]);
    const end = await finished(stand);
    assertSame(data(records), data(end.records));
    assert.deepEqual([end.ledger.dropped.refused, end.ledger.dropped.total], [2, 2]);
  });
}

scenario('every request refused as invalid for a while: no record is blamed for it', {}, async (stand) => {
  const since = performance.now();
  stand.front.fault = (exchange) => {
    if (performance.now() > since + 1500) {
      return false;
    }
    exchange.send(exchange.error(400, 'ValidationException', 'Nothing is right today.'));
    return true;
  };
  const records = jsonRecords(1_000);
  for (let at = 0; at < records.length; at += 250) {
    await log(stand, records.slice(at, at + 250));
  }
  const end = await finished(stand);
  assertSame(data(records), data(end.records));
  assert.equal(end.ledger.dropped.total, 0);
});
