/*
 * SHUTDOWN while calls fail: few calls where nothing but a change from outside can help, many where
 * waiting can; and what is refused now is kept as long as there is time.
 */
import assert from 'node:assert/strict';
import * as faults from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

/* One invocation that is not waited for, then the end; how many calls were made at the end. */
async function callsAtTheEnd(stand, count, calls) {
  await log(stand, jsonRecords(10));
  const before = count();
  const end = await finished(stand);
  assert.equal(end.ledger.dropped.shutdown, 10);
  const made = count() - before;
  assert.ok(made >= calls[0] && made <= calls[1], `${made} calls`);
}

const ENDING = { platform: { shutdownMs: 2_000 } };

scenario('a stream that does not exist: few calls', ENDING, async (stand) => {
  stand.front.fault = faults.refuse(400, 'ResourceNotFoundException', 'Stream logs under account 000000000000 not found.');
  await callsAtTheEnd(stand, () => stand.front.statistics.requests, [3, 6]);
});

scenario('a certificate of an unknown authority: few handshakes',
  { ...ENDING, leaf: { ca: 'other' } }, async (stand) => {
    await callsAtTheEnd(stand, () => stand.front.tlsErrors.length, [3, 7]);
  });

scenario('a service that fails: it is asked until the end', ENDING, async (stand) => {
  stand.front.fault = faults.refuse(500, 'InternalFailure');
  await callsAtTheEnd(stand, () => stand.front.statistics.requests, [12, 100]);
});

scenario('a record for which calls are refused, none beside it: kept as long as there is time',
  { platform: { shutdownMs: 20_000 }, env: { TELEMETRY_FLUSH: 'continuous' } }, async (stand) => {
    stand.front.fault = faults.refuse(400, 'ValidationException', 'Something is wrong with it.');
    const records = jsonRecords(1);
    await log(stand, records);
    const ending = finished(stand);
    await until('eight calls', () => stand.front.statistics.requests >= 8);
    stand.front.fault = null;
    const end = await ending;
    assertSame(data(records), data(end.records));
  });
