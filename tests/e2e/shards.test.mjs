/*
 * A stream whose shards throttle, 5,000 lines of one invocation, SHUTDOWN after it with Lambda's two seconds: as much
 * as the shards take arrives, for few records sent, and the rest is counted.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { accepting, light } from './support/light.mjs';
import { Shards } from './support/shards.mjs';

const LINES = 5_000;
const SHUTDOWN_MS = 2_000;
const ENV = {
  TELEMETRY_CONNECT_TIMEOUT_MS: null, TELEMETRY_REQUEST_TIMEOUT_MS: null, TELEMETRY_FLUSH_BUDGET_MS: null,
  TELEMETRY_FLUSH: 'end', TELEMETRY_RECORD_FORMAT: 'event'
};

describe('shards that throttle', () => {
  for (const count of [1, 4]) {
    for (const latencyMs of [0, 20]) {
      light(`${count}, replies after ${latencyMs} ms`,
        { env: ENV, platform: { shutdownMs: SHUTDOWN_MS } },
        async (stand, _, context) => {
          const shards = new Shards(count);
          const throttle = shards.fault({ latencyMs });
          const accept = accepting(stand.arrived);
          stand.front.fault = async (exchange) => await throttle(exchange) || accept(exchange);
          await stand.log(Array.from({ length: LINES }, (_, n) => `line ${n}`));
          const { ledger, arrived } = await stand.finish();
          assert.deepEqual(shards.faults, []);
          /* the last call may be given up with its reply on the way */
          const unheard = shards.accepted - ledger.delivered;
          assert.ok(unheard >= 0 && unheard <= ledger.duplicatesPossible, JSON.stringify(ledger));
          context.diagnostic(`${shards.sent} sent, ${shards.accepted} accepted, ${Math.floor(shards.offered)} offered`);
          assert.equal(new Set(arrived.map(({ record }) => record)).size, arrived.length);
        });
    }
  }
});
