/*
 * A queue that is full and stays so: the platform is held back first, then events are dropped by
 * TELEMETRY_DROP, each of them counted; when the stream is back, delivery goes on by itself.
 */
import assert from 'node:assert/strict';
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
