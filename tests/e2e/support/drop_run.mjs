/*
 * Invocations under the platform's rule that a batch which falls due during a POST is dropped: what the function
 * logged, what the extension received, what the platform tells to have dropped, and how long each was held.
 *
 *   const run = await dropRun({ bytes: 3_000_000, kinesisMs: 20, queueBytes: 65_536, invocations: 20 });
 *   run.logged === run.received + run.dropped
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { accepting, Light } from './light.mjs';
import { NAME } from './stand.mjs';

export const BUDGET_MS = 500; /* the default */
export const TIMEOUT_MS = 20_000;
const LINE_BYTES = 300;

/* A line of a function that logs in JSON. */
function line(id) {
  const message = `${id} `.padEnd(LINE_BYTES - 80, 'x');
  return `{"timestamp":"2026-11-20T10:00:00.000Z","level":"INFO","message":"${message}"}`;
}

/*
 * By how much `next` came later than the end of the function, or than the answer to the last POST that was begun
 * before it: all that the platform had to say had been said then.
 */
function heldMs(posts, { endedAt, holdMs }) {
  const nextAt = endedAt + holdMs;
  const heard = posts.filter(({ time, ms }) => time - ms < nextAt).map(({ time }) => time);
  return Math.max(0, nextAt - Math.max(endedAt, ...heard));
}

/*
 * bytes        that the function logs in each invocation
 * kinesisMs    before each answer
 * queueBytes   TELEMETRY_QUEUE_MAX_BYTES
 * Returns { logged, received, dropped, platformEvents (dropped, too), delivered, ledger, ledgers: how many, exit,
 * invocations: [{ status, heldMs }] }.
 */
export async function dropRun({ bytes, kinesisMs, queueBytes, invocations }) {
  const stand = await Light.start({
    env: { TELEMETRY_QUEUE_MAX_BYTES: String(queueBytes), TELEMETRY_FLUSH_BUDGET_MS: String(BUDGET_MS), TELEMETRY_FLUSH: 'end' },
    platform: { timeoutMs: TIMEOUT_MS, keepEvents: false, deliver: { busy: 'drop' } }
  });
  try {
    let delivered = 0;
    stand.front.fault = async (exchange) => {
      const taken = [];
      await sleep(kinesisMs);
      accepting(taken)(exchange);
      delivered += taken.length;
      return true;
    };
    const count = Math.ceil(bytes / LINE_BYTES);
    const all = [];
    for (let i = 0; i < invocations; i += 1) {
      const lines = Array.from({ length: count }, (_, n) => line(`${i}-${n}`));
      const begun = stand.platform.posts.length;
      const outcome = await stand.platform.invoke({}, { during: async (emit) => lines.forEach((one) => emit.raw('function', one)) });
      const posts = stand.platform.posts.slice(begun);
      all.push({ status: outcome.status, heldMs: outcome.holdMs === null ? null : heldMs(posts, outcome) });
    }
    const report = await stand.platform.shutdown();
    const sum = (kind) => stand.platform.drops.reduce((total, { records }) => total + records[kind], 0);
    const ledgers = stand.logs.filter((one) => one.message === 'ledger');
    const [ledger] = ledgers;
    return {
      logged: count * invocations, received: ledger?.received, dropped: sum('function'),
      platformEvents: sum('platform'), delivered, ledger, ledgers: ledgers.length,
      exit: report.extensions.find(({ name }) => name === NAME), invocations: all
    };
  } finally {
    await stand.stop();
  }
}
