/*
 * Kinesis takes connections and never answers: the function goes on, little is tried, and what could
 * not be delivered is counted. How long invocations are held: ./build.sh faults black-hole.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { INVOCATIONS, LINES, blackHoles } from './support/black_hole.mjs';
import { Bench } from './support/stand.mjs';

/* Attempts that a thousand invocations may cost in all: a few until sending rests, then one in a while. */
const FEW = 60;

let bench;
before(async () => {
  bench = await Bench.start();
});
after(() => bench?.stop());

for (const { what, run } of blackHoles) {
  test(`a black hole: ${what}`, { timeout: 180_000 }, async () => {
    const { statuses, seen, ledger, faults } = await run(bench);
    assert.deepEqual(faults, []);
    assert.ok(statuses.every((status) => status === 'success'));
    assert.ok(seen.connections > 0 && seen.connections <= FEW, `${seen.connections} connections`);
    assert.ok(seen.requests <= FEW, `${seen.requests} requests`);
    assert.deepEqual([ledger.received, ledger.delivered, ledger.dropped.total],
      [INVOCATIONS * LINES, 0, INVOCATIONS * LINES]);
  });
}
