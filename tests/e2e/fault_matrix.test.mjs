/*
 * The fault matrix as tests: each fault ends before SHUTDOWN, and then nothing is lost, and nothing
 * comes twice but what the ledger says may. One row of those that are alike; all of them, and the table:
 * ./build.sh faults.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultRun } from './support/fault_run.mjs';
import { rows } from './support/fault_rows.mjs';
import { Bench } from './support/stand.mjs';

const TIMEOUT_MS = 120_000;

let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

for (const row of rows.filter(({ long, asIn }) => !long && !asIn)) {
  test(`${row.name}: ${row.what}`, { timeout: TIMEOUT_MS }, async (context) => {
    const { skipped, faults, row: _, ...figures } = await faultRun(row, bench);
    if (skipped) {
      context.skip(skipped);
      return;
    }
    assert.deepEqual(faults, [], JSON.stringify(figures));
  });
}
