/*
 * The connection is opened ahead of need for a function that logs, and not at each invocation for one
 * that is silent. Between two invocations the peer closes it, as it does after a while.
 */
import assert from 'node:assert/strict';
import { jsonRecords } from './support/lines.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const INVOCATIONS = 8;

/* So many invocations, each with these records; connections that were there before each ended. */
async function invoke(stand, records) {
  for (let i = 0; i < INVOCATIONS; i += 1) {
    await log(stand, records);
    stand.front.closeConnections('end');
  }
}

scenario('a silent function: no connection at each invocation, and one when it logs at last', {}, async (stand) => {
  await until('the first connection', () => stand.front.statistics.connections === 1);
  await invoke(stand, []);
  const silent = stand.front.statistics.connections;
  assert.ok(silent <= 3, `${silent} connections`);
  const records = jsonRecords(5);
  await log(stand, records);
  const end = await finished(stand);
  assertSame(data(records), data(end.records));
  assert.equal(end.ledger.connections, silent + 1);
});

scenario('a function that logs: a connection for each invocation, once', {}, async (stand) => {
  await until('the first connection', () => stand.front.statistics.connections === 1);
  await invoke(stand, jsonRecords(1));
  const end = await finished(stand);
  assert.equal(end.ledger.delivered, INVOCATIONS);
  assert.ok(end.ledger.connections <= INVOCATIONS + 1, `${end.ledger.connections} connections`);
});
