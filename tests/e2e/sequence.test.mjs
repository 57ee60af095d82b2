/*
 * `seq` of enriched records, as a consumer uses it: from the stream alone it is known how many events
 * of a sandbox are missing, and which came twice. The ledger has to say the same.
 */
import assert from 'node:assert/strict';
import * as faults from './support/faults.mjs';
import { jsonRecords, longLine } from './support/lines.mjs';
import { request, talk } from './support/raw_client.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { missing, sequences } from './support/sequence.mjs';
import { ANY_PATH } from './support/stand.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const MIB = 1024 * 1024;
const ENRICHED = { TELEMETRY_RECORD_FORMAT: 'enriched' };

/* The one sandbox's numbers; what the stream tells of losses and doubles is what the ledger tells. */
function agreed(end) {
  const all = sequences(data(end.records));
  assert.equal(Object.keys(all).length, 1);
  const [{ numbers, repeated }] = Object.values(all);
  const { received, delivered } = end.ledger;
  assert.equal(repeated, 0);
  assert.equal(numbers.length, delivered);
  assert.ok(numbers.at(-1) < received, `${numbers.at(-1)} of ${received} received`);
  assert.equal(missing(numbers, received).length, received - delivered);
  return numbers;
}

scenario('all that was logged: no gap', { env: ENRICHED }, async (stand) => {
  await log(stand, jsonRecords(1_200));
  const end = await finished(stand);
  assert.deepEqual(agreed(end), Array.from({ length: 1_200 }, (_, i) => i));
});

for (const policy of ['newest', 'oldest']) {
  scenario(`a queue that stays full, TELEMETRY_DROP=${policy}: as many gaps as were dropped`,
    { shards: 16, env: { ...ENRICHED, TELEMETRY_QUEUE_MAX_BYTES: '65536', TELEMETRY_DROP: policy } }, async (stand) => {
      stand.front.fault = faults.refuse(500, 'InternalFailure');
      await log(stand, jsonRecords(400));
      await stand.taken(400);
      stand.front.fault = null;
      await until('delivery', () => stand.platform.lines.some(({ line }) => /delivering again/.test(line)), 40_000);
      await log(stand, jsonRecords(2, 200, 'afterwards'));
      const end = await finished(stand);
      assert.ok(end.ledger.dropped.overflow > 100, JSON.stringify(end.ledger));
      assert.equal(agreed(end).at(-1), end.ledger.received - 1);
    });
}

scenario('records that are split: their parts have one number', {
  env: { ...ENRICHED, TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB), TELEMETRY_OVERSIZE: 'split' }
}, async (stand) => {
  const [first, last] = jsonRecords(2);
  await log(stand, [first, longLine(MIB + 40_000, 'long-1'), longLine(MIB + 4_000, 'long-2'), last]);
  const end = await finished(stand);
  assert.deepEqual(agreed(end), [0, 1, 2, 3]);
  const { received, delivered, split } = end.ledger;
  assert.deepEqual([received, delivered, split], [4, 4, end.records.length - 4]);
});

/* Records above `bytes` are too large, without a word which. */
function tooLarge(bytes) {
  return (exchange) => exchange.call.Records.some((one) => Buffer.from(one.Data, 'base64').length > bytes) &&
    faults.page(413, 'text/html', '<html>Request Entity Too Large</html>')(exchange);
}

scenario('parts that are split again', {
  env: { ...ENRICHED, TELEMETRY_QUEUE_MAX_BYTES: String(16 * MIB), TELEMETRY_OVERSIZE: 'split' }
}, async (stand) => {
  stand.front.fault = tooLarge(300_000);
  const some = jsonRecords(20);
  await log(stand, [...some.slice(0, 10), longLine(MIB + 40_000, 'long-1'), ...some.slice(10)]);
  const end = await finished(stand);
  assert.deepEqual(agreed(end), Array.from({ length: 21 }, (_, i) => i));
  assert.ok(end.ledger.split >= 4, JSON.stringify(end.ledger));
});

scenario('events that are cut, too large or left at SHUTDOWN leave gaps too',
  { platform: { shutdownMs: 1_500, deliver: ANY_PATH }, env: { ...ENRICHED, TELEMETRY_OVERSIZE: 'drop' } }, async (stand) => {
    const some = jsonRecords(30);
    await log(stand, [...some.slice(0, 10), longLine(MIB + 40_000, 'long-1'), ...some.slice(10)]);
    const { body } = stand.platform.calls.find((call) => call.name === 'subscribe');
    const port = Number(new URL(JSON.parse(body).destination.URI).port);
    assert.deepEqual((await talk(port, [request('[{"time":"2026-11-20T10:00:00.000Z","type":"function","record":"cut')])).statuses, [200]);
    await log(stand, jsonRecords(5, 200, 'between'));
    stand.front.fault = faults.refuse(500, 'InternalFailure');
    await log(stand, jsonRecords(7, 200, 'left'));
    const end = await finished(stand);
    const { oversize, cut, shutdown } = end.ledger.dropped;
    assert.deepEqual([oversize, cut, shutdown], [1, 1, 7], JSON.stringify(end.ledger));
    assert.deepEqual(missing(agreed(end), 31 + 1 + 5), [10, 31]);
  });
