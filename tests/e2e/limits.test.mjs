/*
 * Thousands of events that wait at one moment, and the limits of a PutRecords request. The front notes
 * a request above 500 records or 5 MiB as a violation, which `finished` refuses.
 */
import assert from 'node:assert/strict';
import { gate, refuse } from './support/faults.mjs';
import { jsonRecords, longLine, textRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const PENDING = 9_000;
const MIB = 1024 * 1024;
const ROOMY = { TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB) };

/* Emits records while the stream answers nobody, until the listener has them all. */
async function pile(stand, records) {
  const door = gate();
  stand.front.fault = door.fault;
  records.forEach((record) => stand.platform.emitRaw('function', record));
  await stand.platform.flush();
  return door;
}

const moments = [
  ['an INVOKE', async (stand) => { await stand.platform.invoke(); }],
  ['a SHUTDOWN', async () => {}]
];
for (const [moment, act] of moments) {
  for (const flush of ['end', 'continuous']) {
    scenario(`9,000 events pending before ${moment}, flush policy ${flush}`,
      { shards: 48, env: { ...ROOMY, TELEMETRY_FLUSH: flush } }, async (stand) => {
        const records = jsonRecords(PENDING);
        const door = await pile(stand, records.map((one) => one.record));
        door.open();
        await act(stand);
        const end = await allDelivered(stand, PENDING);
        assertSame(data(records), data(end.records));
        assert.equal(stand.front.statistics.maxRecords, 500);
      });
  }
}

scenario('8 MB pending: no request above 5 MiB',
  { shards: 48, env: { ...ROOMY, TELEMETRY_RECORD_FORMAT: 'event' } }, async (stand) => {
    const records = Array.from({ length: 32 }, (_, i) => longLine(250_000, `big-${i}`));
    const door = await pile(stand, records);
    door.open();
    /* at SHUTDOWN requests are smaller, for slow processors */
    await until('all sent', () => stand.front.statistics.records >= records.length, 60_000);
    const end = await allDelivered(stand, records.length);
    assertSame(stand.eventBytes('function'), data(end.records));
    /* 5 MiB of body are 3.75 MiB of data */
    assert.ok(stand.front.statistics.maxBytes > 3 * MIB, `largest request ${stand.front.statistics.maxBytes} bytes`);
  });

scenario('a record cut across two POSTs leaves the others whole',
  { env: { ...ROOMY, TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_BUFFER_MAX_BYTES: '262144' },
    platform: { deliver: { cutLongRecords: true } } }, async (stand) => {
    const small = textRecords(20).map((one) => Buffer.from(one.record));
    await stand.platform.invoke({}, { during: async (emit) => {
      for (const record of [...small.slice(0, 10), longLine(400_000, 'cut'), ...small.slice(10)]) {
        emit.raw('function', record);
      }
    } });
    const end = await finished(stand);
    const whole = stand.eventBytes('function').filter((one) => one.length < 262_144);
    assertSame(whole, data(end.records).filter((one) => !one.includes('0123456789abcdef')));
  });

/* With the default budget a stream that is slow would have lines dropped, since the platform waits no longer. */
scenario('a POST larger than the queue: sent while it is read, the invocation goes on', {
  shards: 16, env: { TELEMETRY_QUEUE_MAX_BYTES: '65536', TELEMETRY_FLUSH_BUDGET_MS: '20000' }, platform: { timeoutMs: 20_000 }
}, async (stand) => {
  const records = jsonRecords(3_000);
  const { holdMs } = await log(stand, records);
  /* not until the function's deadline, which is 20 seconds away */
  assert.ok(holdMs < 10_000, `held for ${holdMs} ms`);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
});

scenario('a full queue before a stream that is down: no invocation waits for its deadline',
  { env: { TELEMETRY_QUEUE_MAX_BYTES: '65536' }, platform: { timeoutMs: 20_000, shutdownMs: 2_500 } }, async (stand) => {
    stand.front.fault = refuse(500, 'InternalFailure');
    for (let i = 0; i < 3; i += 1) {
      const { holdMs } = await log(stand, jsonRecords(1_000, 200, `round-${i}`));
      assert.ok(holdMs < 10_000, `held for ${holdMs} ms`);
    }
    const end = await finished(stand);
    assert.equal(end.ledger.delivered, 0);
  });

scenario('a queue that is too small: what does not fit is counted, what is delivered is whole',
  { shards: 16, env: { TELEMETRY_QUEUE_MAX_BYTES: '65536' } }, async (stand) => {
    const records = jsonRecords(3_000);
    const door = gate();
    stand.front.fault = door.fault;
    records.forEach((one) => stand.platform.emitRaw('function', one.record));
    await until('the first request', () => stand.front.statistics.requests > 0);
    door.open();
    const end = await finished(stand);
    const { received, delivered, dropped } = end.ledger;
    assert.equal(received, 3_000);
    assert.equal(delivered, end.records.length);
    const sent = new Set(data(records));
    const arrived = data(end.records).map(String);
    assert.ok(arrived.every((one) => sent.has(one)));
    assert.equal(new Set(arrived).size, arrived.length);
    assert.equal(dropped.total, 3_000 - arrived.length);
  });

scenario('partition keys and data of 500 records at 10 KB each stay below 5 MiB',
  { shards: 48, env: { ...ROOMY, TELEMETRY_PARTITION_KEY: `fixed:${'é'.repeat(256)}` } }, async (stand) => {
    const records = jsonRecords(600, 10_200);
    const door = await pile(stand, records.map((one) => one.record));
    door.open();
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
  });
