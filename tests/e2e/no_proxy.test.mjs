/*
 * The table of what NO_PROXY exempts (tests/unit/no_proxy_rows.h), as libcurl and botocore have it. That we do what it
 * says is in tests/unit/test_no_proxy.c.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const ROW = /^ROW\("([^"]*)", "([^"]*)", (true|false), (true|false), (true|false)\)$/gm;

function table() {
  const text = readFileSync(path('../unit/no_proxy_rows.h'), 'utf8');
  const rows = [...text.matchAll(ROW)]
    .map(([, host, list, ...exempt]) => [host, JSON.parse(`"${list}"`), ...exempt.map((one) => one === 'true')]);
  assert.equal(rows.length, text.match(/^ROW/gm).length, 'a row that cannot be read');
  return rows;
}

test('what NO_PROXY exempts, as curl and botocore have it', { timeout: 120_000 }, () => {
  const rows = table();
  const python = path('../../build/local-servers/bin/python');
  const { status, stdout, stderr, error } = spawnSync(python, [path('support/no_proxy.py')],
    { input: JSON.stringify(rows.map(([host, list]) => [host, list])), encoding: 'utf8' });
  assert.equal(status, 0, error?.message ?? stderr);
  const found = JSON.parse(stdout);
  assert.ok(rows.length >= 40);
  const other = rows.filter(([,,, curl, botocore], i) => curl !== found[i][0] || botocore !== found[i][1]);
  assert.ok(rows.every(([,, here, curl, botocore]) => here === curl || here === botocore), 'a third opinion');
  assert.deepEqual(other, [], 'not so for curl, or for botocore');
});
