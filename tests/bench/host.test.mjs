/*
 * The bench host's own counting: an extension that does one thing wrong must not yield a figure.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from '../e2e/support/folder.mjs';
import { Host } from './host.mjs';

const EVENTS = 1_200;
const INVOCATION = 700;
const KEY = 8;

let host;
let folder;

before(async () => {
  host = await Host.start();
  folder = await temporaryFolder('crooked-');
});

after(async () => {
  await host.stop();
  removeFolder(folder);
});

/* The host starts programs without arguments. */
async function extension(ways) {
  const path = join(folder, ways.join('-'));
  const script = fileURLToPath(new URL('crooked.mjs', import.meta.url));
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${script}' ${ways.join(' ')}\n`);
  await chmod(path, 0o755);
  return path;
}

async function run(ways, given = {}) {
  return host.run(await extension(ways), { events: EVENTS, perInvocation: INVOCATION, patienceS: 10, ...given });
}

for (const [ways, size, counts] of [
  [['json'], 200, { json: 4, cbor: 0 }],
  [['json'], 2_000, { json: 4, cbor: 0 }],
  [['json', 'strings'], 200, { json: 4 }],
  [['cbor'], 200, { json: 0, cbor: 4 }],
  [['cbor'], 201, { cbor: 4 }],
  [['definite'], 2_000, { cbor: 4 }],
  [['twice'], 200, { duplicates: 3, records: EVENTS + 3, requests: 5 }]
]) {
  test(`${ways.join(', ')}, ${size} bytes: counted`, async () => {
    const figures = await run(ways, { size });
    const { sink } = figures;
    /* one event goes ahead, to open the connection; the crooked one has a connection for each request */
    const requests = 1 + 2 + 1;
    const expected = {
      requests, checked: 1, records: EVENTS, unique: EVENTS, duplicates: 0, foreign: 0, wrongSignatures: 0, ...counts
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(sink[name], value, name);
    }
    assert.equal(sink.dataBytes, size * sink.records);
    assert.equal(sink.keyBytes, KEY * sink.records);
    assert.ok(sink.bytesIn > sink.dataBytes + sink.keyBytes);
    assert.equal(figures.exit, 0);
    assert.equal(figures.invocations, 3);
  });
}

for (const [way, reason, given] of [
  ['lose', /events are lost/, { patienceS: 1 }],
  ['change', /none of those logged/, { patienceS: 1 }],
  ['foreign', /none of those logged/],
  ['mis-sign', /a signature is wrong/],
  ['leave', /ended by itself/],
  ['fail', /the extension failed/]
]) {
  test(`${way}: no figure`, async () => {
    await assert.rejects(run([way], given), reason);
  });
}

test('a program that cannot be started: no figure', async () => {
  await assert.rejects(host.run(join(folder, 'none'), { events: 1 }), /ended by itself/);
});

test('the host by itself', async () => {
  const { generator, sinkCbor, sinkJson } = await host.ceilings({ events: 5_000, size: 200 });
  assert.ok(Math.min(generator, sinkCbor, sinkJson) > 0);
});
