/*
 * The shipped binary, once through what it is for: the demo, freezes between invocations, calls that fail, SHUTDOWN
 * while lines wait. What ./build.sh test has of the end-to-end tests.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { snippet } from './support/documents.mjs';
import * as faults from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { allDelivered, data, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';
import { until } from './support/until.mjs';

const { scenario } = useBench();

const TEST_MS = 120_000;
const DEMO = fileURLToPath(new URL('demo.mjs', import.meta.url));

test('the demo: two functions, and each of their lines in a stream, once', { timeout: TEST_MS }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO]);
  const rows = stdout.match(/^(node|shell) .* 0 +0$/gm) ?? []; /* lost, duplicated */
  assert.equal(rows.length, 2, stdout);
  /* The front page shows the same, of another run. */
  const shape = (text) => text.slice(text.indexOf('function ')).split('\n').slice(0, 6)
    .map((line) => line.replace(/[0-9a-f]{8}(-[0-9a-f-]{27})?|\d+/g, '0').replace(/ +/g, ' '));
  assert.deepEqual(shape(snippet('demo-output')), shape(stdout));
});

/* Held until all is delivered, so that nothing is under way when the freeze comes, on a machine however busy. */
const FROZEN_IDLE = { platform: { freeze: true }, env: { TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: '60000' } };

scenario('frozen between invocations, the peer closes meanwhile', FROZEN_IDLE, async (stand) => {
  const records = jsonRecords(300);
  for (let i = 0; i < 3; i += 1) {
    await log(stand, records.slice(i * 100, (i + 1) * 100));
    stand.front.closeConnections(i === 0 ? 'end' : 'reset');
  }
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
});

scenario('calls that fail are made again', {}, async (stand) => {
  const records = jsonRecords(1_000);
  stand.front.fault = faults.times(2, faults.refuse(503, 'ServiceUnavailable'));
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  assert.equal(end.ledger.duplicatesPossible, 0);
  assert.ok(end.ledger.retried > 0);
});

scenario('SHUTDOWN while lines wait: they are delivered before the process ends',
  { env: { TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: '100' } }, async (stand) => {
    const records = jsonRecords(2_000);
    stand.front.fault = faults.refuse(503, 'ServiceUnavailable');
    await log(stand, records);
    await until('a call', () => stand.front.statistics.requests > 0);
    stand.front.fault = null;
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
  });
