/*
 * A freeze with a call under way, whose answer never comes, and a request time-out that is longer than
 * what is left: the call is made again on a new connection while there is time.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as faults from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { data, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

/* The freeze is the fault: so long that it cannot be taken for a slow machine. */
const FROZEN_MS = 1_500;
/* The request time-out is 20 s. */
const OPTIONS = { platform: { shutdownMs: 8_000 }, env: { TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: '100' } };
const CUT_OFF = /^not HTTP\/1\.1: closed |^in the front: /;

/* Invocations whose last call is under way when they end; nobody answers it. */
async function underWay(stand, { first = [], records }) {
  if (first.length > 0) {
    await log(stand, first);
    await until('delivery', () => stand.front.statistics.records >= first.length);
  }
  const before = stand.front.statistics.requests;
  stand.front.fault = faults.times(1, faults.silence());
  await log(stand, records);
  await until('a call', () => stand.front.statistics.requests > before);
}

async function ended(stand, records) {
  const end = await stand.finish();
  assert.deepEqual(end.faults.filter((one) => !CUT_OFF.test(one)), []);
  assertSame(data(records), data(end.records));
  assert.equal(end.ledger.delivered, records.length);
  return end;
}

scenario('SHUTDOWN after the freeze', OPTIONS, async (stand) => {
  const records = jsonRecords(30);
  await underWay(stand, { records });
  stand.platform.freeze();
  await sleep(FROZEN_MS);
  const end = await ended(stand, records);
  assert.equal(end.ledger.duplicatesPossible, 30);
});

scenario('SHUTDOWN without a freeze, on a connection that had served before', OPTIONS, async (stand) => {
  const first = jsonRecords(5, 200, 'first');
  const records = jsonRecords(30);
  await underWay(stand, { first, records });
  const end = await ended(stand, [...first, ...records]);
  assert.equal(end.ledger.duplicatesPossible, 30);
});

scenario('an invocation after the freeze', OPTIONS, async (stand) => {
  const records = jsonRecords(30);
  await underWay(stand, { records });
  stand.platform.freeze();
  await sleep(FROZEN_MS);
  stand.platform.thaw();
  await log(stand, []);
  /* the silent call's records were counted, too */
  await until('delivery', () => stand.front.statistics.records >= 60, 10_000);
  await ended(stand, records);
});
