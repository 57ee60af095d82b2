/*
 * Every end of an invocation, heard or lost on its way: the process ends by itself within SHUTDOWN, with a ledger that
 * knows of each line, and is never killed.
 *
 * An end that is lost without any sign of it cannot be heard by anybody: for that the extension has a setting, the time
 * without telemetry after which an invocation is held no longer.
 */
import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Light, accepting } from './support/light.mjs';
import { BINARY, EMULATED, NAME, extensionsFolder } from './support/stand.mjs';
import { removeFolder } from './support/folder.mjs';

const TEST_MS = 60_000;
const LINES = 5;
const SLOW_MS = 150;
const OTHER = 'other';
const FAKE = fileURLToPath(new URL('../platform/fakes/extension.mjs', import.meta.url));

/* Short where the deadline is what ends the invocation; else so far away that it cannot be what ends the hold. */
const SHORT_MS = 2_000;
const FAR_MS = 15_000;
const HELD_MAX_MS = 10_000; /* the largest budget is 3,000 */

const ends = {
  'ends well': { status: 'success' },
  'fails in its handler': { ends: 'error', status: 'error' },
  crashes: { ends: 'crash', status: 'error', reset: 'failure' },
  'times out': { ends: 'timeout', status: 'timeout', reset: 'timeout', timeoutMs: SHORT_MS },
  'runs out of memory': { ends: 'outOfMemory', status: 'error', reset: 'failure' },
  'is ended by another extension that crashes': { ends: 'timeout', status: 'error', reset: 'failure', other: true }
};

const lost = { runtimeDone: false, report: false };

/* What the extension hears of the end. `tell` is called by the function, as its last deed. */
const hearings = {
  heard: {},
  'lost, and a notice of it comes': {
    options: lost,
    tell: (emit) => emit('platform.logsDropped', { reason: 'too slow', droppedRecords: 2, droppedBytes: 700 })
  },
  'lost without a sign, with a limit to silence': { options: lost, env: { TELEMETRY_HOLD_SILENCE_MS: '300' }, budgets: [500] }
};

const silent = () => () => true;
const streams = {
  'Kinesis is well': { fault: (take) => take },
  'Kinesis is slow': { fault: (take) => (exchange) => sleep(SLOW_MS).then(() => take(exchange)) },
  'Kinesis is silent': { fault: silent, lost: true },
  'Kinesis is silent, and waited for': { fault: silent, lost: true, env: { TELEMETRY_REQUEST_TIMEOUT_MS: '10000' } }
};

async function folderWith(other) {
  const folder = await extensionsFolder(BINARY);
  if (other) {
    await symlink(FAKE, join(folder, OTHER));
  }
  return folder;
}

async function run({ end, hearing, stream, budget }) {
  const extensions = await folderWith(end.other);
  const stand = await Light.start({
    env: {
      TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: String(budget), TELEMETRY_REQUEST_TIMEOUT_MS: null,
      TELEMETRY_CONNECT_TIMEOUT_MS: null, ...streams[stream].env, ...hearing.env
    },
    platform: { extensions, timeoutMs: end.timeoutMs ?? FAR_MS, shutdownMs: 2_000 }
  });
  try {
    stand.front.fault = streams[stream].fault(accepting(stand.arrived));
    const during = async (emit) => {
      for (let n = 0; n < LINES; n += 1) {
        emit('function', `line ${n}`);
      }
      hearing.tell?.(emit);
      if (end.other) {
        process.kill(stand.platform.pids[OTHER], 'SIGKILL');
      }
    };
    const outcome = await stand.platform.invoke({}, { during, ends: end.ends, ...hearing.options });
    const report = outcome.shutdown ?? await stand.platform.shutdown();
    const ledgers = stand.logs.filter((one) => one.message === 'ledger');
    return { outcome, report, ledgers };
  } finally {
    await stand.stop();
    removeFolder(extensions);
  }
}

function check({ end, stream }, { outcome, report, ledgers }) {
  assert.equal(outcome.status, end.status);
  assert.equal(report.reason, end.reset ?? 'spindown');
  if (!end.reset) {
    assert.ok(outcome.holdMs < HELD_MAX_MS, `held for ${outcome.holdMs} ms`);
  }
  const { exitCode, signal } = report.extensions.find(({ name }) => name === NAME);
  assert.deepEqual({ exitCode, signal, ledgers: ledgers.length }, { exitCode: 0, signal: null, ledgers: 1 });
  const [{ received, delivered, dropped }] = ledgers;
  const [good, lostThen] = streams[stream].lost ? [0, LINES] : [LINES, 0];
  assert.deepEqual({ received, delivered, dropped: dropped.total },
    { received: LINES, delivered: good, dropped: lostThen });
}

describe('every end of an invocation', { concurrency: EMULATED ? 2 : 12 }, () => {
  for (const [hears, hearing] of Object.entries(hearings)) {
    for (const [how, end] of Object.entries(ends)) {
      for (const stream of Object.keys(streams)) {
        for (const budget of hearing.budgets ?? [0, 500, 3_000]) {
          const row = { end, hearing, stream, budget };
          test(`the function ${how}; that is ${hears}; ${stream}; budget ${budget}`, { timeout: TEST_MS }, async () => {
            check(row, await run(row));
          });
        }
      }
    }
  }
});
