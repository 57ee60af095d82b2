/*
 * Local servers that speak Kinesis' protocol, each in its own way, by default settings.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVERS, localFaults, localRun } from './support/local_servers.mjs';

/* kinesis-local needs half a second for a call of 500 lines. */
const LINES = { 'kinesis-local': 1_000 };
const OTHERS = 10_000;

for (const name of Object.keys(SERVERS)) {
  const count = LINES[name] ?? OTHERS;

  test(`${count} lines to ${name}`, { timeout: 600_000 }, async () => {
    assert.deepEqual(localFaults(await localRun(name, count)), []);
  });
}
