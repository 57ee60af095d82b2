/*
 * Kinesis as a black hole: it takes connections and never answers. With the extension's own settings,
 * how long is each of 1,000 invocations held after the function has ended?
 *
 *   const { holds, ledger, statistics, faults } = await blackHoles[0].run(bench);
 */
import { mute, silence } from './faults.mjs';
import { jsonRecords } from './lines.mjs';
import { log } from './scenario.mjs';

export const INVOCATIONS = 1_000;
export const LINES = 5;

/* The settings under test are the defaults; a sandbox has two seconds to shut down. */
const DEFAULTS = { TELEMETRY_CONNECT_TIMEOUT_MS: null, TELEMETRY_REQUEST_TIMEOUT_MS: null };
const SHUTDOWN_MS = 2_000;
/* Guards against a run that would take hours: an invocation held to its deadline, or all of them held. */
const TIMEOUT_MS = 10_000;
const HELD_MAX_MS = 120_000;

async function fall(bench, onFront) {
  const stand = await bench.stand({
    shards: 0, env: DEFAULTS, platform: { shutdownMs: SHUTDOWN_MS, timeoutMs: TIMEOUT_MS }, onFront
  });
  try {
    const records = jsonRecords(INVOCATIONS * LINES, 120, 'event');
    const holds = [];
    const statuses = [];
    let heldMs = 0;
    for (let i = 0; i < INVOCATIONS; i += 1) {
      const { holdMs, status } = await log(stand, records.slice(i * LINES, (i + 1) * LINES));
      holds.push(holdMs);
      statuses.push(status);
      heldMs += holdMs ?? TIMEOUT_MS;
      if (heldMs > HELD_MAX_MS) {
        throw new Error(`${i + 1} invocations were held for ${heldMs} ms`);
      }
    }
    const { statistics } = stand.front;
    const seen = { connections: statistics.connections, requests: statistics.requests };
    const { ledger, faults } = await stand.finish();
    return { holds, statuses, seen, ledger, faults };
  } finally {
    await stand.stop();
  }
}

export const blackHoles = [
  {
    what: 'TLS is never answered',
    run: (bench) => fall(bench, (front) => { front.connectionFault = mute; })
  },
  {
    what: 'requests are never answered',
    run: (bench) => fall(bench, (front) => { front.fault = silence(); })
  }
];
