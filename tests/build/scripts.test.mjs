/*
 * The shell scripts, as shellcheck sees them.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TOP, call } from './support.mjs';

const NOT_OURS = /(^|\/)(node_modules|cdk\.out)\//;

test('shellcheck finds nothing', async () => {
  const folders = ['vendor', 'layer', 'tests', 'cdk'];
  const files = ['build.sh', '.ci/run'];
  for (const folder of folders) {
    for (const name of await readdir(join(TOP, folder), { recursive: true })) {
      if (name.endsWith('.sh') && !NOT_OURS.test(name)) {
        files.push(join(folder, name));
      }
    }
  }
  assert.ok(files.includes('vendor/vendor.sh'), 'they are found');
  const { status, stdout } = await call('shellcheck', files, { cwd: TOP });
  assert.equal(status, 0, stdout);
});
