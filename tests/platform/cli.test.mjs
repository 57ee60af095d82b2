// The command line, and the example functions.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readArguments } from './cli.mjs';
import { EXAMPLES, extensionFolder, folder, untilGone } from './fakes/harness.mjs';

const CLI = fileURLToPath(new URL('./cli.mjs', import.meta.url));

// Resolves with {status, out, err}.
async function cli(...argv) {
  const child = spawn(process.execPath, [CLI, ...argv]);
  const text = async (stream) => Buffer.concat(await stream.toArray()).toString();
  const [out, err, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve))
  ]);
  return { status, out, err };
}

const fakes = (what) => `FAKE=${JSON.stringify(what)}`;
const ids = (out) =>
  out
    .split('\n')
    .filter((line) => line.startsWith('[function]'))
    .flatMap((line) => line.match(/\bid=[0-9a-f-]+-\d+/g) ?? []);

test('--help names every option', async () => {
  const { status, out } = await cli('--help');
  assert.equal(status, 0);
  for (const option of [
    'extensions',
    'bootstrap',
    'handler',
    'event',
    'count',
    'log-format',
    'freeze',
    'managed-instances',
    'env',
    'timeout',
    'busy',
    'lose',
    'cpu',
    'confined',
    'shutdown-flush'
  ])
    assert.match(out, new RegExp(`--${option}\\b`));
});

for (const [argv, problem] of [
  [[], /--bootstrap is missing/],
  [['--bootstrap', 'b', '--colour'], /--colour/],
  [['--bootstrap', 'b', '--count', '0'], /--count takes a whole number above 0, not 0/],
  [['--bootstrap', 'b', '--log-format', 'json'], /--log-format must be Text or JSON, not json/],
  [['--bootstrap', 'b', '--env', 'NAME'], /--env takes NAME=VALUE, not NAME/],
  [['--bootstrap', 'b', '--event', '{'], /--event: /],
  [['--bootstrap', 'b', '--event', '@/nowhere'], /--event: ENOENT/],
  [['--bootstrap', 'b', '--reason', 'fun'], /--reason must be/],
  [['--bootstrap', 'b', '--busy', 'wait'], /--busy must be drop or keep, not wait/],
  [['--bootstrap', 'b', '--lose', 'start,end'], /--lose must be start, runtimeDone or report, not end/],
  [['--bootstrap', 'b', '--cpu', '7'], /--cpu takes ON\/PERIOD in ms, not 7/]
])
  test(`arguments refused: ${argv.join(' ')}`, () => assert.throws(() => readArguments(argv, {}), problem));

test('arguments: credentials are handed on together, an event may be a file', () => {
  const event = path.join(folder(), 'event.json');
  writeFileSync(event, '{"lines":7}');
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  const read = readArguments(['--bootstrap', 'b', '--event', `@${event}`, '--env', 'X=1=2', '--timeout', '50'], {
    ...keys,
    AWS_REGION: 'eu-west-1'
  });
  assert.deepEqual(read.payload, { lines: 7 });
  assert.deepEqual(read.platform.env, { ...keys, AWS_SESSION_TOKEN: null, X: '1=2' });
  assert.deepEqual([read.platform.region, read.platform.timeoutMs, read.count], ['eu-west-1', 50, 1]);
  assert.deepEqual(readArguments(['--bootstrap', 'b'], {}).platform.env, {});
});

test('arguments: what the platform does that it does not like to', () => {
  const argv = [
    '--lose',
    'start,report',
    '--cpu',
    '7/100',
    '--confined',
    '--shutdown-flush',
    'none',
    '--shutdown-left',
    '400'
  ];
  const { platform, invocation } = readArguments(['--bootstrap', 'b', ...argv], {});
  assert.deepEqual(invocation, { start: false, report: false });
  assert.deepEqual([platform.cpu, platform.confined, platform.shutdownLeftMs], [{ onMs: 7, periodMs: 100 }, true, 400]);
  assert.equal(platform.deliver.shutdownFlush, 'none');
});

test('a wrong option: status 2 and one line', async () => {
  const { status, err } = await cli('--count', '2');
  assert.equal(status, 2);
  assert.equal(err, '--bootstrap is missing; try --help\n');
});

test('the Node example: JSON lines, responses, status 0', async () => {
  const { status, out, err } = await cli(
    '--bootstrap',
    `${EXAMPLES}node/bootstrap`,
    '--extensions',
    extensionFolder(['alpha']),
    '--log-format',
    'JSON',
    '--event',
    '{"lines":5}',
    '--count',
    '3'
  );
  assert.equal(status, 0, out + err);
  assert.equal(new Set(ids(out)).size, 15);
  assert.equal(ids(out).length, 15);
  const line = JSON.parse(
    out
      .split('\n')
      .find((one) => one.startsWith('[function]'))
      .slice('[function] '.length)
  );
  assert.deepEqual(Object.keys(line), ['timestamp', 'level', 'requestId', 'message']);
  assert.match(line.message, /^id=/);
  assert.equal(out.match(/success after [\d.]+ ms, response \{"lines":5\}/g).length, 3);
  assert.match(out, /^\[alpha\] /m);
  assert.match(out, /^platform: alpha ended with status 0 [\d.]+ ms after SHUTDOWN$/m);
});

test('the shell example: text lines; frozen in between', async () => {
  const { status, out, err } = await cli(
    '--bootstrap',
    `${EXAMPLES}shell/bootstrap`,
    '--extensions',
    extensionFolder(['alpha']),
    '--freeze',
    '--event',
    '{"lines":4}',
    '--count',
    '2'
  );
  assert.equal(status, 0, out + err);
  assert.equal(new Set(ids(out)).size, 8);
  assert.match(out, /^\[function\] id=\S+ hello from the shell$/m);
});

test('the Node example on Managed Instances', async () => {
  const extensions = extensionFolder(['alpha']);
  const { status, out, err } = await cli(
    '--bootstrap',
    `${EXAMPLES}node/bootstrap`,
    '--extensions',
    extensions,
    '--managed-instances',
    '--count',
    '5',
    '--env',
    fakes({ alpha: { events: ['SHUTDOWN'] } })
  );
  assert.equal(status, 0, out + err);
  assert.equal(new Set(ids(out)).size, 15);
});

test('what went wrong makes status 1', async () => {
  const crash = await cli(
    '--bootstrap',
    `${EXAMPLES}node/bootstrap`,
    '--extensions',
    extensionFolder(['alpha']),
    '--env',
    fakes({ alpha: { onInvoke: { exit: 0 } } })
  );
  assert.equal(crash.status, 1);
  assert.match(crash.out, /Extension.Crash/);
  const late = await cli(
    '--bootstrap',
    `${EXAMPLES}node/bootstrap`,
    '--extensions',
    extensionFolder(['alpha']),
    '--quiet',
    '--env',
    fakes({ alpha: { onShutdown: { exit: 3 } } })
  );
  assert.equal(late.status, 1);
  assert.match(late.out, /alpha ended with status 3/);
  const failed = await cli('--bootstrap', `${EXAMPLES}node/bootstrap`, '--handler', 'missing.handler');
  assert.equal(failed.status, 1);
  assert.match(failed.err, /Runtime.ImportModuleError/);
});

test('SIGTERM: nobody is left', async () => {
  const child = spawn(process.execPath, [
    CLI,
    '--bootstrap',
    `${EXAMPLES}node/bootstrap`,
    '--extensions',
    extensionFolder(['alpha']),
    '--env',
    fakes({ alpha: { onInvoke: { sayPid: true } } })
  ]);
  let out = '';
  const pid = await new Promise((resolve) =>
    child.stdout.on('data', (chunk) => {
      out += chunk;
      const said = /"did":"pid","pid":(\d+)/.exec(out);
      if (said) resolve(Number(said[1]));
    })
  );
  child.kill('SIGTERM');
  const signal = await new Promise((resolve) => child.once('close', (_, name) => resolve(name)));
  assert.equal(signal, 'SIGTERM');
  await untilGone(pid);
});
