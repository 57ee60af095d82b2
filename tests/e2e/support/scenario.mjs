/*
 * A test of a whole run: a stand is put up, the body uses it, it is taken down.
 *
 *   const { scenario } = useBench();
 *   scenario('what is shown', { env: { … } }, async (stand) => { … });
 *
 * Options are those of Bench.stand, or a function of the bench that gives them.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bench } from './stand.mjs';

const TIMEOUT_MS = 180_000;
const TAIL = 15;

/* What the extension said last: the first thing to look at when a test fails. */
function tail(stand) {
  const lines = stand.platform?.lines.slice(-TAIL).map(({ line }) => String(line).slice(0, 300)) ?? [];
  const { partitionKeys, ...statistics } = stand.front?.statistics ?? {};
  return `\nlast lines of the extension:\n  ${lines.join('\n  ')}\nfront: ${JSON.stringify(statistics)}` +
    ` violations: ${stand.front?.violations.slice(0, 5)} refusals: ${stand.front?.refusals[0]?.message}` +
    ` TLS: ${stand.front?.tlsErrors.slice(0, 5)}`;
}

export function useBench({ timeoutMs = TIMEOUT_MS } = {}) {
  const shared = { bench: null };

  before(async () => {
    shared.bench = await Bench.start();
  });
  after(async () => {
    await shared.bench?.stop();
  });

  function scenario(name, options, body) {
    test(name, { timeout: timeoutMs }, async () => {
      const { bench } = shared;
      const stand = await bench.stand(typeof options === 'function' ? await options(bench) : options);
      try {
        await body(stand, bench);
      } catch (error) {
        error.stack += tail(stand); /* reporters print the stack */
        throw error;
      } finally {
        await stand.stop();
      }
    });
  }

  return { shared, scenario };
}

/* One invocation, in which the function logs these records (lines.mjs, or raw JSON). */
export async function log(stand, records) {
  return stand.platform.invoke({}, {
    during: async (emit) => records.forEach((one) => emit.raw('function', one.record ?? one))
  });
}

export function data(records) {
  return records.map((one) => one.data);
}

/* Shuts down, and requires what holds in every run. */
export async function finished(stand, reason) {
  const end = await stand.finish(reason);
  assert.deepEqual(end.faults, []);
  return end;
}

/* The same, and requires that `count` events came, were delivered, and no more and no less. */
export async function allDelivered(stand, count) {
  const end = await finished(stand);
  const { received, delivered, dropped } = end.ledger;
  assert.deepEqual({ received, delivered, dropped: dropped.total }, { received: count, delivered: count, dropped: 0 });
  assert.deepEqual(stand.front.refusals, []);
  return end;
}
