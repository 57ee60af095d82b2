import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWithStandIns } from './shell.mjs';

const names = async (script) => (await runWithStandIns(script)).calls.map(({ name }) => name);

test('a pipe: what is written comes before what reads it, however slow', async () => {
  const slow = 'i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done';
  assert.deepEqual(await names(`{ ${slow}; npm ci; } | skopeo login --password-stdin registry; git pull`), ['npm', 'skopeo', 'git']);
});

test('folders, words with blanks, what is built', async () => {
  const { calls } = await runWithStandIns("./build.sh layer && cd cdk && npx cdk deploy 'two words'; cd .. && build/host/program");
  assert.deepEqual(calls, [
    { name: 'build.sh', args: ['layer'], folder: '' },
    { name: 'npx', args: ['cdk', 'deploy', 'two words'], folder: 'cdk' },
    { name: 'build/host/program', args: [], folder: '' }
  ]);
});

test('what is not there, what fails at the beginning of a pipe', async () => {
  assert.equal((await runWithStandIns('wget')).status, 127);
  assert.deepEqual((await runWithStandIns('aws s3 ls | cp --stdin', { aws: '/bin/false' })).calls.map(({ name }) => name),
    ['aws', 'aws, which fails:', 'cp']);
});
