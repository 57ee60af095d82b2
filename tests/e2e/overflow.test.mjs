/*
 * A queue that is full and stays so: the platform is held back first, then events are dropped by
 * TELEMETRY_DROP, each of them counted; when the stream is back, delivery goes on by itself.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { refuse } from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { compare } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const SENT = 3_000;
const LAST = 800; /* more than the queue holds */
const SMALL = { TELEMETRY_QUEUE_MAX_BYTES: '65536' };

for (const [policy, kept] of [['newest', 'first'], ['oldest', 'last']]) {
  scenario(`a stream that is down for long, TELEMETRY_DROP=${policy}: the ${kept} events are kept`,
    { shards: 16, env: { ...SMALL, TELEMETRY_DROP: policy } }, async (stand) => {
      stand.front.fault = refuse(500, 'InternalFailure');
      const records = jsonRecords(SENT);
      await log(stand, records.slice(0, -LAST));
      /* what a call carries stays whatever the policy: the last ones come while none is under way */
      await until('pause', () => stand.platform.lines.some(({ line }) => /nothing is sent for a while/.test(line)));
      await log(stand, records.slice(-LAST));
      await stand.taken(SENT);
      stand.front.fault = null;
      const more = jsonRecords(1, 200, 'afterwards');
      await log(stand, more);
      await until('delivery', () => stand.platform.lines.some(({ line }) => /delivering again/.test(line)), 40_000);
      const end = await finished(stand);
      const { received, delivered, dropped } = end.ledger;
      assert.equal(received, SENT + 1);
      assert.equal(dropped.total, dropped.overflow);
      assert.equal(delivered, end.records.length);
      const { lost, duplicated, foreign } = compare(data([...records, ...more]), data(end.records));
      assert.deepEqual([duplicated.length, foreign.length, lost.length], [0, 0, dropped.overflow]);
      const numbers = data(end.records).map((one) => JSON.parse(one).id).filter((id) => id.startsWith('json-'))
        .map((id) => Number(id.slice(5))).sort((a, b) => a - b);
      assert.ok(numbers.length > 100, `${numbers.length} kept`);
      const first = kept === 'first' ? 0 : SENT - numbers.length;
      assert.deepEqual([numbers[0], numbers.at(-1)], [first, first + numbers.length - 1]);
    });
}

const QUEUE = 262_144;

/* As a service logs them: what a line says of its own request is different in each. */
function requests(count) {
  return Array.from({ length: count }, (_, id) => {
    const chance = createHash('sha256').update(String(id)).digest();
    return JSON.stringify({
      timestamp: new Date(1_764_500_000_000 + id * 7).toISOString(), level: chance[0] < 230 ? 'INFO' : 'ERROR',
      message: {
        id, request: chance.toString('hex', 1, 5), method: chance[5] < 180 ? 'GET' : 'POST',
        path: `/orders/${chance.readUInt16LE(6) % 10_000}`, status: chance[8] < 230 ? 200 : 500,
        ms: chance.readUInt16LE(9) % 300, text: 'the request was answered', user: 'anonymous'
      }
    });
  });
}

scenario('a stream that is down for long, lines and gzip: five times what the queue would hold of bare lines is kept', {
  platform: { shutdownMs: 2_500 },
  env: {
    TELEMETRY_QUEUE_MAX_BYTES: String(QUEUE), TELEMETRY_AGGREGATION: 'lines', TELEMETRY_COMPRESSION: 'gzip',
    TELEMETRY_RECORD_FORMAT: 'event'
  }
}, async (stand) => {
  stand.front.fault = refuse(500, 'InternalFailure');
  const records = requests(20_000);
  for (let i = 0; i < records.length; i += 1_000) {
    await log(stand, records.slice(i, i + 1_000));
  }
  const { ledger } = await finished(stand);
  const bytes = stand.eventBytes('function').reduce((sum, one) => sum + one.length, 0) / records.length;
  const kept = ledger.received - ledger.dropped.overflow;
  assert.equal(ledger.received, records.length);
  assert.ok(ledger.dropped.overflow > 0, 'it was full');
  assert.ok(kept >= 5 * QUEUE / bytes, `${kept} events of ${bytes} bytes`);
});
