/*
 * Started by hand, ended by a signal, and left without anybody who reads what it says.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { silence } from './support/faults.mjs';
import { light } from './support/light.mjs';
import { closedPort } from './support/ports.mjs';
import { BINARY, NAME, extensionLogs } from './support/stand.mjs';
import { until, within } from './support/until.mjs';

const VERSION = readFileSync(new URL('../../src/VERSION', import.meta.url), 'utf8').trim();

function run(args, env = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(BINARY, args, { env, encoding: 'utf8', timeout: 30_000 });
  assert.ifError(error);
  return { status, signal, stdout, stderr };
}

test('--version', () => {
  assert.deepEqual(run(['--version']), { status: 0, signal: null, stdout: `${NAME} ${VERSION}\n`, stderr: '' });
});

test('--help', () => {
  const { status, stdout, stderr } = run(['--help']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /--version/);
  assert.match(stdout, /--help/);
  assert.ok(stdout.startsWith(`${NAME} ${VERSION}\n`));
});

for (const argument of ['--nothing', '-v', '', 'file']) {
  test(`unknown argument "${argument}": what there is, on standard error`, () => {
    const { status, stdout, stderr } = run([argument], { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:1' });
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /--version/);
  });
}

test('--name and no name is not understood', () => {
  const { status, stderr } = run(['--name'], { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:1' });
  assert.equal(status, 2);
  assert.match(stderr, /--name FILE/);
});

const malformed = [
  undefined, '', ' ', ':', 'host', 'host:', ':9001', 'host:0', 'host:65536', 'host:-1', 'host:9001x', 'host: 9001',
  'host:0x2329', 'http://127.0.0.1:9001', '127.0.0.1:9001/', 'a host:9001', 'user@host:9001',
  '[::1]', '[::1]:', '[]:9001', '[::1:9001', '::1]:9001', '[[::1]]:9001', '[::1]x:9001'
];
for (const value of malformed) {
  test(`AWS_LAMBDA_RUNTIME_API ${value === undefined ? 'not set' : `"${value}"`}: one line and exit 2`, () => {
    const { status, stdout, stderr } = run([], value === undefined ? {} : { AWS_LAMBDA_RUNTIME_API: value });
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^[^\n]*AWS_LAMBDA_RUNTIME_API[^\n]*\n$/);
  });
}

/* It takes signals as events by now: SIGTERM is blocked. */
async function takesSignals(pid) {
  await until('it takes signals', async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const blocked = /^SigBlk:\s*([0-9a-f]+)$/m.exec(status);
    const blocks = (signal) => (BigInt(`0x${blocked[1]}`) >> BigInt(signal - 1) & 1n) === 1n;
    /* before its own program runs, a new process blocks all signals */
    return blocked && blocks(constants.signals.SIGTERM) && !blocks(constants.signals.SIGHUP);
  });
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} where no platform answers: ledger, exit 0`, { timeout: 60_000 }, async () => {
    const env = { AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${await closedPort()}`, AWS_REGION: 'us-east-1' };
    const child = spawn(BINARY, [], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      await until('a complaint', () => text.includes('\n'));
      await takesSignals(child.pid);
      child.kill(signal);
      const [code] = await once(child, 'close');
      const lines = text.trim().split('\n').map((line) => JSON.parse(line));
      assert.deepEqual([code, lines.length, lines[0].level, lines[1].message], [0, 2, 'error', 'ledger']);
    } finally {
      child.kill('SIGKILL');
    }
  });

  light(`${signal} while waiting for an event: what has come is delivered`, {}, async (stand) => {
    stand.platform.emit('function', 'late');
    await stand.platform.flush();
    const { ledger } = await signalled(stand, signal);
    assert.deepEqual([ledger.received, ledger.delivered], [1, 1]);
    assert.deepEqual(stand.arrived.map(({ data }) => data), ['"late"']);
  });

  light(`${signal} while an invocation is held for a stream that does not answer: counted`, {}, async (stand) => {
    stand.front.fault = silence();
    stand.log(['stuck']).catch(() => {}); /* the signal ends it */
    await until('the request', () => stand.front.statistics.requests > 0);
    const { ledger } = await signalled(stand, signal);
    assert.deepEqual([ledger.received, ledger.delivered, ledger.dropped.shutdown], [1, 0, 1]);
  });
}

/* Sends the signal; the end: { ledger }. */
async function signalled(stand, ...signals) {
  const pid = stand.platform.pids[NAME];
  await takesSignals(pid);
  for (const signal of signals) {
    process.kill(pid, signal);
  }
  await until('the end', () => stand.platform.crash);
  await stand.platform.kill(); /* all lines have been read by then */
  const { logs, stray } = extensionLogs(stand.platform);
  const ledgers = logs.filter((one) => one.message === 'ledger');
  const { exitCode, signal } = stand.platform.crash;
  assert.deepEqual([exitCode, signal, stray, ledgers.length], [0, null, [], 1]);
  return { ledger: ledgers[0] };
}

light('two signals end it once', {}, async (stand) => {
  await signalled(stand, 'SIGTERM', 'SIGINT');
});

light('a signal while next is refused: no event that comes then keeps it alive', () => {
  const refused = { status: 500, body: {} };
  const invoke = { status: 200, body: { eventType: 'INVOKE', requestId: 'r', deadlineMs: Date.now() + 600_000 } };
  const state = { ending: false };
  return {
    state,
    env: { TELEMETRY_FLUSH: 'continuous' },
    platform: { faults: { next: ({ n }) => state.ending ? invoke : (n > 0 && refused) || null } }
  };
}, async (stand, { state }) => {
  stand.front.fault = silence();
  stand.log(['stuck']).catch(() => {});
  await until('next is refused', () => stand.platform.calls.filter((one) => one.name === 'next').length >= 3);
  state.ending = true;
  await signalled(stand, 'SIGTERM');
});

/* A folder with a launcher of the extension, which gives it other files for standard output and the like. */
async function launcher(script) {
  const folder = await temporaryFolder('launcher-');
  const path = join(folder, NAME);
  const own = join(folder, 'own', NAME);
  await mkdir(join(folder, 'own'));
  await symlink(BINARY, own);
  await writeFile(path, `#!/bin/sh\n${script.replaceAll('FIFO', `${folder}/own/fifo`).replaceAll('EXTENSION', own)}\n`);
  await chmod(path, 0o755);
  return folder;
}

/* One bad setting: a line to write as soon as it runs. */
const TALKATIVE = { TELEMETRY_LOG_LEVEL: 'debug', TELEMETRY_FLUSH: 'nonsense' };
const OPEN_FIFO = 'mkfifo FIFO; exec 3<>FIFO >FIFO; rm FIFO';
const outputs = {
  'standard output is closed': 'exec EXTENSION >&-',
  'all three are closed': 'exec EXTENSION <&- >&- 2>&-',
  'nobody reads standard output any more': `${OPEN_FIFO}; exec 3<&-; exec EXTENSION`,
  'standard output is full': `${OPEN_FIFO}; exec EXTENSION`,
  'standard output is a full disk': 'exec EXTENSION >/dev/full'
};
for (const [what, script] of Object.entries(outputs)) {
  let folder = null;
  light(`${what}: the function goes on, SHUTDOWN is honoured`, async () => {
    folder = await launcher(script);
    return { platform: { extensions: folder }, env: TALKATIVE };
  }, async (stand) => {
    try {
      await chatter(stand);
      await stand.log(['first']);
      await stand.log(['second']);
      assert.equal(stand.platform.crash, null);
      const { extensions: [exit] } = await stand.platform.shutdown();
      assert.deepEqual([exit.exitCode, exit.late], [0, false]);
      assert.deepEqual(stand.arrived.map(({ data }) => data).sort(), ['"first"', '"second"']);
      assert.equal(stand.platform.calls.filter((one) => one.name === 'register').length, 1);
    } finally {
      removeFolder(folder);
    }
  });
}

/* Makes the extension write more log lines than a pipe holds. */
async function chatter(stand) {
  const [{ destination }] = stand.bodies('subscribe');
  const { port } = new URL(destination.URI);
  for (let i = 0; i < 1_000; i += 1) {
    const refused = request({ host: '127.0.0.1', port, method: 'GET', agent: false }).end();
    const [response] = await once(refused, 'response');
    assert.equal(response.statusCode, 405);
    response.resume();
    await once(response, 'end');
  }
}

test('nobody reads, and no platform answers at first: not even the first complaint ends it', { timeout: 60_000 }, async () => {
  const port = await closedPort();
  const folder = await launcher(`${OPEN_FIFO}; exec 3<&-; exec EXTENSION`);
  const child = spawn(join(folder, NAME), [], { env: { PATH: process.env.PATH, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` } });
  const platform = createServer((socket) => socket.destroy());
  try {
    await takesSignals(child.pid); /* so it has been refused by then */
    platform.listen(port, '127.0.0.1');
    await within('it asks again', 20_000, once(platform, 'connection'));
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  } finally {
    child.kill('SIGKILL');
    platform.close();
    removeFolder(folder);
  }
});
