// The Extensions API of the platform, and how extensions are started: sections 1.1 to 1.5, 1.8 of the reference.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Platform } from './platform.mjs';
import { EXAMPLES, alive, did, extensionFolder, folder, script, start, untilGone } from './fakes/harness.mjs';

const REGISTER = { method: 'POST', path: '/2020-01-01/extension/register' };
const BOTH = '{"events":["INVOKE","SHUTDOWN"]}';

function replies(platform) {
  return did(platform, 'call').map(({ status, body }) => [
    status,
    status === 200 ? 'OK' : (JSON.parse(body).errorType ?? 'OK')
  ]);
}

test('an extension gets no arguments and the environment of an extension', async () => {
  const bootstrap = script('bootstrap', `#!/bin/sh\nenv\nexec ${EXAMPLES}node/bootstrap\n`);
  const platform = await start(
    { alpha: {} },
    {
      bootstrap,
      taskRoot: `${EXAMPLES}node`,
      env: { MINE: 'yes', _MINE: 'no', AWS_SESSION_TOKEN: null }
    }
  );
  const { env, argv, cwd } = did(platform, 'env')[0];
  assert.deepEqual(argv, []);
  assert.equal(cwd, '/');
  assert.equal(env.AWS_LAMBDA_RUNTIME_API, platform.address);
  assert.equal(env.AWS_LAMBDA_INITIALIZATION_TYPE, 'on-demand');
  assert.equal(env.AWS_REGION, 'us-east-1');
  assert.equal(env.MINE, 'yes');
  for (const name of [
    '_MINE',
    '_HANDLER',
    'LAMBDA_TASK_ROOT',
    'AWS_EXECUTION_ENV',
    'AWS_LAMBDA_LOG_STREAM_NAME',
    'AWS_SESSION_TOKEN',
    'HOME'
  ]) {
    assert.equal(env[name], undefined, name);
  }
  const functions = platform.lines.filter(({ source }) => source === 'function').map(({ line }) => line);
  assert.ok(functions.includes('_HANDLER=handler.handler'));
  assert.ok(functions.includes('_MINE=no'));
  assert.ok(functions.includes(`LAMBDA_TASK_ROOT=${EXAMPLES}node`));
});

test('the function is started once every extension has registered', async () => {
  const bootstrap = script('bootstrap', `#!/bin/sh\necho started\nexec ${EXAMPLES}node/bootstrap\n`);
  const platform = await start(
    { alpha: {}, beta: {} },
    { bootstrap, taskRoot: `${EXAMPLES}node`, faults: { register: [null, { delay: 100 }] } }
  );
  const registered = platform.calls.filter(({ name }) => name === 'register').map(({ doneTime }) => doneTime);
  assert.equal(registered.length, 2);
  const started = platform.lines.find(({ line }) => line === 'started').time;
  assert.ok(started > Math.max(...registered));
});

test('register: what is refused, and how', async () => {
  const named = { 'Lambda-Extension-Name': 'alpha' };
  const rows = [
    [{ ...REGISTER, body: BOTH }, 403, 'Extension.InvalidExtensionName'],
    [{ ...REGISTER, headers: named }, 403, 'InvalidRequestFormat'],
    [{ ...REGISTER, headers: named, body: '{' }, 403, 'InvalidRequestFormat'],
    [{ ...REGISTER, headers: named, body: '[]' }, 403, 'InvalidRequestFormat'],
    [
      { ...REGISTER, headers: named, body: '{"events":["INVOKE"],"configurationKeys":["a"]}' },
      403,
      'InvalidRequestFormat'
    ],
    [{ ...REGISTER, headers: named, body: '{"events":["RESTORE"]}' }, 403, 'Extension.InvalidEventType'],
    [{ ...REGISTER, headers: { 'Lambda-Extension-Name': 'other' }, body: BOTH }, 403, 'Extension.InvalidEventType']
  ];
  const platform = await start({ alpha: { before: rows.map(([call]) => call) } });
  assert.deepEqual(
    replies(platform),
    rows.map(([, status, errorType]) => [status, errorType])
  );
});

test('identifier: missing, malformed, unknown; calls in the wrong state', async () => {
  const next = (identifier) => ({
    path: '/2020-01-01/extension/event/next',
    headers: identifier === null ? {} : { 'Lambda-Extension-Identifier': identifier }
  });
  const rows = [
    [next(null), 403, 'Extension.MissingExtensionIdentifier'],
    [next('me'), 403, 'Extension.InvalidExtensionIdentifier'],
    [next('2f7c1a52-0000-4000-8000-000000000000'), 403, 'Extension.UnknownExtensionIdentifier'],
    [
      { ...REGISTER, headers: { 'Lambda-Extension-Name': 'alpha' }, body: BOTH },
      403,
      'Extension.InvalidExtensionState'
    ],
    [
      { method: 'POST', path: '/2020-01-01/extension/exit/error', headers: { 'Lambda-Extension-Identifier': '$ID' } },
      403,
      'Extension.MissingHeader'
    ]
  ];
  const platform = await start({ alpha: { calls: rows.map(([call]) => call) } });
  assert.deepEqual(
    replies(platform),
    rows.map(([, status, errorType]) => [status, errorType])
  );
});

test('register answers with the function, and with the account when asked', async () => {
  const options = { functionName: 'orders', accountId: '210987654321' };
  const platform = await start({ alpha: {}, beta: { features: 'other, accountId' } }, options);
  const described = { functionName: 'orders', functionVersion: '$LATEST', handler: 'handler.handler' };
  assert.deepEqual(JSON.parse(did(platform, 'register')[0].body), described);
  assert.deepEqual(JSON.parse(did(platform, 'register', 'beta')[0].body), { ...described, accountId: '210987654321' });
});

test('registration closes with init', async () => {
  const platform = await start({ alpha: {} });
  const reply = await fetch(`http://${platform.address}${REGISTER.path}`, {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': 'inside' },
    body: '{"events":["INVOKE"]}'
  });
  assert.equal(reply.status, 403);
  assert.equal((await reply.json()).errorType, 'Extension.RegistrationClosed');
  assert.equal((await fetch(`http://${platform.address}/nowhere`)).status, 404);
  assert.equal((await fetch(`http://${platform.address}${REGISTER.path}`)).status, 405);
});

test('a wrong name leaves the real extension awaited until init times out', async () => {
  await assert.rejects(
    start({ 'alpha.sh': { name: 'alpha', events: ['INVOKE'] } }, { initTimeoutMs: 1000 }),
    /alpha.sh did not register within 1000 ms/
  );
});

test('an eleventh file is one too many: the ten before it have been started, and are ended', async () => {
  const names = Array.from({ length: 11 }, (_, index) => `e${String(index).padStart(2, '0')}`);
  const fakes = Object.fromEntries(names.map((name) => [name, {}]));
  await assert.rejects(start(fakes, { shutdownMs: 200 }), (error) => {
    assert.equal(error.errorType, 'Extension.TooManyExtensions');
    assert.match(error.message, /e10 is one more than 10/);
    assert.deepEqual(Object.keys(error.platform.pids), names.slice(0, 10));
    assert.deepEqual(Object.values(error.platform.pids).filter(alive), []);
    return true;
  });
});

test('an eleventh registration is one too many, though ten of them are internal', async () => {
  const inside = Array.from({ length: 10 }, (_, index) => `inside${index}`);
  const before = inside.map((name) => ({
    ...REGISTER,
    headers: { 'Lambda-Extension-Name': name },
    body: '{"events":[]}'
  }));
  await assert.rejects(start({ alpha: { before, registerOnce: true } }), ({ platform }) => {
    const [{ status, body }] = did(platform, 'register');
    assert.deepEqual([status, JSON.parse(body).errorType], [403, 'Extension.TooManyExtensions']);
    return true;
  });
});

test('init/error and exit/error are taken and end the run', async () => {
  const post = (where) => ({
    method: 'POST',
    path: `/2020-01-01/extension/${where}/error`,
    headers: { 'Lambda-Extension-Identifier': '$ID', 'Lambda-Extension-Function-Error-Type': 'Extension.NoConfig' },
    body: '{"errorMessage":"no configuration"}'
  });
  await assert.rejects(
    start({ alpha: { calls: [post('init')], exit: 1 } }),
    /^Error: Extension.InitError: alpha reported Extension.NoConfig \{"errorMessage":"no configuration"\}/
  );
  const platform = await start({ alpha: { onInvoke: { call: post('exit') } } });
  const { error, shutdown } = await platform.invoke();
  assert.deepEqual([error.errorType, shutdown.reason], ['Extension.ExitError', 'failure']);
  await platform.until(() => replies(platform).length > 0);
  assert.deepEqual(replies(platform), [[202, 'OK']]);
});

test('Managed Instances: INVOKE is refused, SHUTDOWN is not', async () => {
  const before = [{ ...REGISTER, headers: { 'Lambda-Extension-Name': 'alpha' }, body: BOTH }];
  const platform = await start({ alpha: { before, events: ['SHUTDOWN'] } }, { managedInstances: true });
  assert.deepEqual(replies(platform), [[403, 'Extension.InvalidEventType']]);
  assert.equal(did(platform, 'env')[0].env.AWS_LAMBDA_INITIALIZATION_TYPE, 'lambda-managed-instances');
  assert.equal(did(platform, 'env')[0].env.AWS_LAMBDA_MAX_CONCURRENCY, undefined);
});

test('entries: a directory is passed over, what cannot be executed ends init', async () => {
  const extensions = extensionFolder(['alpha']);
  mkdirSync(path.join(extensions, 'data'));
  const platform = await start({}, { extensions });
  assert.deepEqual(Object.keys(platform.pids), ['alpha']);
  writeFileSync(path.join(extensions, 'README'), 'read me');
  chmodSync(path.join(extensions, 'README'), 0o644);
  await assert.rejects(
    Platform.start({ extensions }),
    (error) => error.errorType === 'Extension.LaunchError' && /README.*EACCES/.test(error.message)
  );
});

test('an extension that ends by itself is a crash, whatever its status', async () => {
  await assert.rejects(start({ alpha: { exit: 0 } }), /Extension.Crash: alpha ended outside SHUTDOWN: exit code 0/);
});

test('a crash within an invocation resets: runtimeDone, SHUTDOWN failure to the others; then a fresh start', async () => {
  const platform = await start({ alpha: { onInvoke: { exit: 0 } }, beta: { subscribe: {} } });
  const first = platform.pids;
  const { status, error, shutdown } = await platform.invoke({}, { ends: 'timeout' });
  assert.deepEqual([status, error.errorType], ['error', 'Extension.Crash']);
  assert.match(error.errorMessage, /alpha ended outside SHUTDOWN: exit code 0/);
  assert.equal(shutdown.reason, 'failure');
  assert.deepEqual(shutdown.crash, { name: 'alpha', exitCode: 0, signal: null });
  assert.deepEqual(
    shutdown.extensions.map(({ name, exitCode }) => [name, exitCode]),
    [
      ['alpha', 0],
      ['beta', 0]
    ]
  );
  const done = platform.events.find(({ type }) => type === 'platform.runtimeDone').record;
  assert.deepEqual([done.status, done.errorType], ['error', 'Extension.Crash']);
  assert.equal(JSON.parse(did(platform, 'next', 'beta').at(-1).body).shutdownReason, 'failure');
  await platform.invoke();
  assert.notEqual(platform.pids.beta, first.beta);
});

test('a crash between invocations fails the next one', async () => {
  const platform = await start({ alpha: {} });
  process.kill(platform.pids.alpha, 'SIGKILL');
  await platform.until(() => platform.crash !== null);
  assert.equal((await platform.invoke()).error.errorType, 'Extension.Crash');
  assert.equal((await platform.invoke()).status, 'success');
});

test('Managed Instances end when an extension crashes; another one takes over', async () => {
  const options = { managedInstances: true };
  const platform = await start({ alpha: { events: ['SHUTDOWN'] }, beta: { events: ['SHUTDOWN'] } }, options);
  const during = async () => process.kill(platform.pids.alpha, 'SIGKILL');
  const { error, shutdown } = await platform.invoke({}, { during, ends: 'timeout' });
  assert.deepEqual([error.errorType, shutdown.reason], ['Extension.Crash', 'failure']);
  assert.equal((await platform.invoke()).status, 'success');
});

test('a failed start leaves no process behind', async () => {
  const child = script('bootstrap', '#!/bin/sh\nsleep 1000 & echo "pid $!"\nexit 1\n');
  let pids;
  await assert.rejects(start({ alpha: {} }, { bootstrap: child }), ({ message, platform }) => {
    assert.match(message, /Runtime.ExitError/);
    pids = platform.lines.filter(({ line }) => line.startsWith('pid ')).map(({ line }) => Number(line.slice(4)));
    return true;
  });
  assert.equal(pids.length, 1);
  await untilGone(pids[0]);
});

test('options that do not exist are refused', async () => {
  await assert.rejects(Platform.start({ extension: folder() }), /unknown option of the platform: extension/);
  await assert.rejects(Platform.start({ deliver: { retries: 1 } }), /unknown option of the platform: deliver.retries/);
});
