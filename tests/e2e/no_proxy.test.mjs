/*
 * The table of what NO_PROXY exempts (tests/unit/no_proxy_rows.h), and which variables name the proxy, as libcurl and
 * botocore have it. That we do what it says is in tests/unit/test_no_proxy.c and test_settings_proxy.c.
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

/* Variables, and the proxy by curl, which is followed but for the last, and by botocore. */
const BOTH = { https_proxy: 'http://LOWER', HTTPS_PROXY: 'http://UPPER' };
const ENVIRONMENTS = [
  [{}, null, null],
  [{ https_proxy: 'http://LOWER' }, 'lower', 'lower'],
  [{ HTTPS_PROXY: 'http://UPPER' }, 'upper', 'upper'],
  [BOTH, 'lower', 'lower'],
  [{ ...BOTH, https_proxy: '' }, 'upper', null],
  [{ ...BOTH, HTTPS_PROXY: '' }, 'lower', 'lower'],
  [{ HTTPS_PROXY: 'UPPER' }, 'upper', 'upper'],
  [{ HTTP_PROXY: 'http://UPPER', http_proxy: 'http://LOWER' }, null, null],
  [{ ...BOTH, no_proxy: 'a.example' }, null, null],
  [{ ...BOTH, NO_PROXY: 'a.example' }, null, null],
  [{ ...BOTH, no_proxy: 'a.example', NO_PROXY: 'b.example' }, null, null],
  [{ ...BOTH, no_proxy: 'b.example', NO_PROXY: 'a.example' }, 'lower', 'lower'],
  [{ ...BOTH, no_proxy: '', NO_PROXY: 'a.example' }, null, 'lower'],
  [{ ALL_PROXY: 'http://UPPER' }, 'upper', null]
];

function ask(question) {
  const python = path('../../build/local-servers/bin/python');
  const { status, stdout, stderr, error } = spawnSync(python, [path('support/no_proxy.py')],
    { input: JSON.stringify({ rows: [], environments: [], ...question }), encoding: 'utf8' });
  assert.equal(status, 0, error?.message ?? stderr);
  return JSON.parse(stdout);
}

test('what NO_PROXY exempts, as curl and botocore have it', { timeout: 120_000 }, () => {
  const rows = table();
  const found = ask({ rows: rows.map(([host, list]) => [host, list]) }).rows;
  assert.ok(rows.length >= 40);
  const other = rows.filter(([,,, curl, botocore], i) => curl !== found[i][0] || botocore !== found[i][1]);
  assert.ok(rows.every(([,, here, curl, botocore]) => here === curl || here === botocore), 'a third opinion');
  assert.deepEqual(other, [], 'not so for curl, or for botocore');
});

test('which variable names the proxy, as curl and botocore have it', { timeout: 120_000 }, () => {
  const found = ask({ environments: ENVIRONMENTS.map(([variables]) => variables) }).environments;
  assert.deepEqual(ENVIRONMENTS.map(([variables], i) => [variables, ...found[i]]), ENVIRONMENTS);
});
