/*
 * Invocations that follow each other at once, each with a thousand lines: the extension keeps up, so
 * that Lambda need not drop anything, and all arrives.
 */
import assert from 'node:assert/strict';
import { jsonRecords } from './support/lines.mjs';
import { light } from './support/light.mjs';
import { data } from './support/scenario.mjs';
import { assertNoneLost } from './support/tally.mjs';
import { until } from './support/until.mjs';

const INVOCATIONS = 100;
const LINES = 1_000;
/* Where runtimeDone is among what Lambda dropped, an invocation is held until its deadline. */
const TIMEOUT_MS = 10_000;

for (const flush of ['adaptive', 'end', 'continuous']) {
  const env = { TELEMETRY_FLUSH: flush, TELEMETRY_FLUSH_BUDGET_MS: null };
  const options = { env, platform: { timeoutMs: TIMEOUT_MS } };
  light(`100 invocations of 1,000 lines back to back, flush policy ${flush}`, options, async (stand) => {
    const dropped = () => stand.platform.events.filter(({ type }) => type === 'platform.logsDropped');
    const records = jsonRecords(INVOCATIONS * LINES, 200, 'event');
    for (let i = 0; i < INVOCATIONS; i += 1) {
      const lines = records.slice(i * LINES, (i + 1) * LINES);
      const { status } = await stand.platform.invoke({}, {
        during: async (emit) => lines.forEach(({ record }) => emit.raw('function', record))
      });
      assert.deepEqual([status, dropped()], ['success', []]);
    }
    await until('all is delivered', () => stand.arrived.length >= records.length);
    const { ledger } = await stand.finish();
    assertNoneLost(data(records), data(stand.arrived));
    assert.deepEqual(dropped(), []);
    assert.deepEqual([ledger.received, ledger.dropped.total, ledger.platformDropped],
      [records.length, 0, { records: 0, bytes: 0 }]);
  });
}
