/*
 * Single records that stay in the queue for long must not cost the others their way.
 */
import assert from 'node:assert/strict';
import { INTERNAL, THROTTLED } from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { request, RawClient } from './support/raw_client.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { ANY_PATH } from './support/stand.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

/*
 * The queue is full at times: a busy machine must not make that last longer than the platform is kept waiting. A busy
 * kinesis-local takes a second for a call.
 */
const SMALL = { TELEMETRY_QUEUE_MAX_BYTES: '65536', TELEMETRY_FLUSH_BUDGET_MS: '60000', TELEMETRY_REQUEST_TIMEOUT_MS: '10000' };

/* One record of a call always fails by itself. */
function refusing(word, result) {
  return ({ call, failing }) => {
    call.Records.forEach((one, index) => {
      if (Buffer.from(one.Data, 'base64').includes(word)) {
        failing.set(index, result);
      }
    });
    return false;
  };
}

const stubborn = [
  ['throttled for ever', THROTTLED, SMALL],
  ['failing for ever', INTERNAL, SMALL],
  ['meant for a dead letter that cannot be reached', INTERNAL,
    { ...SMALL, AWS_MAX_ATTEMPTS: '1', TELEMETRY_DEAD_LETTER: 's3://letters', AWS_ENDPOINT_URL_S3: 'https://localhost:9' }]
];
for (const [what, result, env] of stubborn) {
  scenario(`a record ${what}: many times the queue's size passes by it`,
    { shards: 8, env, platform: { shutdownMs: 10_000 } }, async (stand) => {
      stand.front.fault = refusing('stubborn', result);
      const [one] = jsonRecords(1, 200, 'stubborn');
      const records = jsonRecords(2_000);
      await log(stand, [one]);
      for (let at = 0; at < records.length; at += 100) {
        await log(stand, records.slice(at, at + 100));
      }
      const end = await finished(stand);
      assertSame(data(records), data(end.records));
      assert.deepEqual([end.ledger.received, end.ledger.dropped.overflow], [records.length + 1, 0]);
    });
}

scenario('events of a POST that is broken off are delivered without another one', { platform: { deliver: ANY_PATH } }, async (stand) => {
  const { body } = stand.platform.calls.find((call) => call.name === 'subscribe');
  const client = await RawClient.connect(Number(new URL(JSON.parse(body).destination.URI).port));
  const events = ['a', 'b', 'c'].map((text) => JSON.stringify(
    { time: '2026-11-20T10:00:00.000Z', type: 'function', record: text }));
  const bytes = request(`[${events.join(',')},{"type":"fun`);
  client.socket.write(bytes.subarray(0, -20));
  await until('two of them', () => stand.front.statistics.records >= 2);
  client.destroy();
  const end = await finished(stand);
  assert.equal(end.ledger.delivered, end.records.length);
});
