/*
 * The platform drops what falls due during a POST, platform events too. What the function logged is then what the
 * extension received and what the platform tells to have dropped, exactly; and no invocation is held until its
 * deadline because its end was among what was dropped. `./build.sh endurance drops` measures the same, for longer.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUDGET_MS, TIMEOUT_MS, dropRun } from './support/drop_run.mjs';

const TEST_MS = 180_000;
/* Far from the budget, since the machine may be busy, and farther from the deadline. */
const HELD_MAX_MS = TIMEOUT_MS / 2;

const rows = [];
for (const bytes of [200_000, 3_000_000]) {
  for (const kinesisMs of [0, 20, 200]) {
    for (const queueBytes of [64 * 1024, 4 * 1024 * 1024]) {
      rows.push({ bytes, kinesisMs, queueBytes, invocations: 3 });
    }
  }
}

describe('a batch that falls due during a POST is dropped', { concurrency: 2 }, () => {
  for (const row of rows) {
    const what = `${row.bytes / 1000} KB of logs, Kinesis at ${row.kinesisMs} ms, a queue of ${row.queueBytes / 1024} KiB`;
    test(what, { timeout: TEST_MS }, async () => {
      const run = await dropRun(row);
      assert.deepEqual([run.exit.exitCode, run.exit.late, run.ledgers], [0, false, 1]);
      assert.equal(run.received + run.dropped, run.logged, 'received and dropped by the platform');
      assert.equal(run.ledger.delivered + run.ledger.dropped.total, run.received);
      assert.equal(run.ledger.delivered, run.delivered);
      const { records } = run.ledger.platformDropped;
      assert.ok(records <= run.dropped + run.platformEvents, `the ledger knows of ${records}, a lower bound`);
      for (const { status, heldMs } of run.invocations) {
        assert.equal(status, 'success');
        assert.ok(heldMs < HELD_MAX_MS, `held for ${heldMs} ms, with a budget of ${BUDGET_MS}`);
      }
    });
  }
});
