/*
 * The platform buffers for as long as it was asked to, and may not flush before SHUTDOWN, or drop what it would have to
 * wait for. Whatever it does, the last line and the report of the last invocation are delivered: the end waits for the
 * buffering that was asked for, within its deadline.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Light } from './support/light.mjs';

const TEST_MS = 60_000;
const LINES = 50;
const FAR_MS = 15_000; /* a function's deadline that nothing may wait for */

async function run({ bufferMs, shutdownFlush, ends }) {
  const stand = await Light.start({
    env: {
      TELEMETRY_BUFFER_TIMEOUT_MS: String(bufferMs), TELEMETRY_FLUSH_BUDGET_MS: null, TELEMETRY_FLUSH: 'end',
      TELEMETRY_TYPES: 'platform,function', TELEMETRY_RECORD_FORMAT: 'event'
    },
    platform: { timeoutMs: FAR_MS, shutdownMs: 2_000, deliver: { shutdownFlush } }
  });
  try {
    const lines = Array.from({ length: LINES }, (_, n) => `line ${n}`);
    const during = async (emit) => lines.forEach((one) => emit('function', one));
    const { shutdown } = await stand.platform.invoke({}, { during, ends });
    const report = shutdown ?? await stand.platform.shutdown();
    const [{ exitCode, signal }] = report.extensions;
    const events = stand.arrived.map(({ data }) => JSON.parse(data));
    return {
      exitCode, signal, ledgers: stand.logs.filter(({ message }) => message === 'ledger').length,
      lines: events.filter(({ type }) => type === 'function').length,
      reports: events.filter(({ type }) => type === 'platform.report').length
    };
  } finally {
    await stand.stop();
  }
}

describe('SHUTDOWN behind the last lines', { concurrency: 6 }, () => {
  for (const shutdownFlush of ['with', 'none', 'drop']) {
    for (const bufferMs of [25, 100, 1_000, 2_500]) {
      for (const [how, ends] of [['ends well', undefined], ['crashes', 'crash']]) {
        test(`flush: ${shutdownFlush}; buffering of ${bufferMs} ms; the function ${how}`, { timeout: TEST_MS }, async () => {
          assert.deepEqual(await run({ bufferMs, shutdownFlush, ends }),
            { exitCode: 0, signal: null, ledgers: 1, lines: LINES, reports: 1 });
        });
      }
    }
  }
});
