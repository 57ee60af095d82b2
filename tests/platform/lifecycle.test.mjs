// Invocations, shutdown, resets, freezing, Managed Instances, scripted faults: reference 1.6, 1.8, 2.5.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EXAMPLES,
  FAKES,
  alive,
  did,
  flushed,
  folder,
  processState,
  received,
  release,
  script,
  start,
  untilGone,
  untilState
} from './fakes/harness.mjs';

const NODE = { bootstrap: `${EXAMPLES}node/bootstrap` };

// A folder with a handler of this text, run by the example runtime.
function handler(text) {
  const taskRoot = folder();
  writeFileSync(path.join(taskRoot, 'handler.mjs'), text);
  return { bootstrap: ['node', `${EXAMPLES}node/runtime.mjs`], taskRoot };
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);

// What it has used of a CPU, in hundredths of a second.
function cpuTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const nextEvents = (platform, name) => did(platform, 'next', name).map(({ body }) => JSON.parse(body));

test('an invocation by the function: payload, response, INVOKE for those who registered for it', async () => {
  const platform = await start({ alpha: {}, beta: { events: ['SHUTDOWN'] } }, NODE);
  const outcome = await platform.invoke({ lines: 2 });
  assert.deepEqual([outcome.response, outcome.error, outcome.status], [{ lines: 2 }, undefined, 'success']);
  const [event] = nextEvents(platform, 'alpha');
  assert.deepEqual(Object.keys(event).sort(), [
    'deadlineMs',
    'eventType',
    'invokedFunctionArn',
    'requestId',
    'tracing'
  ]);
  assert.equal(event.requestId, outcome.requestId);
  assert.ok(event.deadlineMs > Date.now(), 'absolute, and ahead');
  assert.match(did(platform, 'next')[0].headers['lambda-extension-event-identifier'], /^[0-9a-f-]{36}$/);
  assert.deepEqual(nextEvents(platform, 'beta'), []);
  assert.equal(platform.lines.filter(({ line }) => line.includes(`id=${outcome.requestId}-`)).length, 2);
});

test('an error of the function is the outcome, and goes on', async () => {
  const platform = await start(
    {},
    handler('export async function handler(event) { if (event.bad) throw new TypeError("no"); return 1; }')
  );
  const bad = await platform.invoke({ bad: true });
  assert.deepEqual([bad.status, bad.error.errorMessage], ['error', 'no']);
  assert.equal(
    platform.events.find(({ type }) => type === 'platform.runtimeDone').record.errorType,
    'Runtime.TypeError'
  );
  assert.equal((await platform.invoke()).response, 1);
});

test('a function that fails in init fails the start', async () => {
  await assert.rejects(start({ alpha: {} }, handler('nonsense(')), ({ message, platform }) => {
    assert.match(message, /Runtime.ImportModuleError/);
    assert.equal(nextEvents(platform, 'alpha').at(-1).shutdownReason, 'failure');
    return true;
  });
});

test('played by the caller: events while it runs, then the hold of the extensions', async () => {
  const platform = await start({ alpha: { subscribe: {}, linger: true } });
  const outcome = await platform.invoke(
    {},
    {
      during: async (emit) => {
        emit('function', 'one');
        emit.raw('function', '"\\u0032"');
      }
    }
  );
  assert.ok(outcome.holdMs > 0);
  await flushed(platform);
  assert.deepEqual(
    received(platform)
      .filter(({ type }) => type === 'function')
      .map(({ record }) => record),
    ['one', '2']
  );
});

const types = (platform) => platform.events.map(({ type }) => type.replace('platform.', ''));

test('start, runtimeDone and report can be withheld, each by itself; runtimeDone can come twice', async () => {
  const told = async (options) => {
    const platform = await start({ alpha: {} });
    await platform.invoke({}, options);
    return types(platform).filter((type) => ['start', 'runtimeDone', 'report'].includes(type));
  };
  assert.deepEqual(await told({}), ['start', 'runtimeDone', 'report']);
  assert.deepEqual(await told({ start: false }), ['runtimeDone', 'report']);
  assert.deepEqual(await told({ runtimeDone: false }), ['start', 'report']);
  assert.deepEqual(await told({ report: false }), ['start', 'runtimeDone']);
  assert.deepEqual(await told({ runtimeDone: 'twice' }), ['start', 'runtimeDone', 'report', 'runtimeDone']);
});

for (const [ends, status, errorType, reason] of [
  ['error', 'error', 'Function.Unhandled', undefined],
  ['crash', 'error', 'Runtime.ExitError', 'failure'],
  ['outOfMemory', 'error', 'Runtime.OutOfMemory', 'failure'],
  ['failure', 'failure', 'Sandbox.Failure', 'failure'],
  ['timeout', 'timeout', undefined, 'timeout']
]) {
  test(`a function played by the caller that ends in: ${ends}`, async () => {
    const platform = await start({ alpha: {} }, { timeoutMs: 1000 });
    const outcome = await platform.invoke({}, { ends });
    assert.deepEqual([outcome.status, outcome.shutdown?.reason], [status, reason]);
    for (const type of ['platform.runtimeDone', 'platform.report']) {
      const { record } = platform.events.find((event) => event.type === type);
      assert.deepEqual([record.status, record.errorType], [status, errorType]);
    }
    assert.equal((await platform.invoke()).status, 'success');
  });
}

test('a function ends in none of these ways', async () => {
  const platform = await start({});
  await assert.rejects(platform.invoke({}, { ends: 'well' }), /a function ends error, crash, .*, not well/);
});

test('a request id of the caller, as in a retry; a trace id of any length', async () => {
  const platform = await start({ alpha: {} });
  const traceId = `Root=1-${'a'.repeat(20000)}`;
  for (let n = 0; n < 2; n += 1) await platform.invoke({}, { requestId: 'again', traceId });
  const events = nextEvents(platform, 'alpha');
  assert.deepEqual(
    events.map(({ requestId, tracing }) => [requestId, tracing.value]),
    Array(2).fill(['again', traceId])
  );
});

test("an error in the caller's part comes back", async () => {
  const other = await start({ alpha: {} });
  await assert.rejects(
    other.invoke(
      {},
      {
        during: () => {
          throw new Error('mine');
        }
      }
    ),
    /mine/
  );
});

test('shutdown: the event, its deadline, the report, and nobody left', async () => {
  const platform = await start({ alpha: {}, beta: {} }, NODE);
  const pids = [...Object.values(platform.pids), platform.runtimePid];
  const report = await platform.shutdown();
  for (const name of ['alpha', 'beta']) {
    const [event] = nextEvents(platform, name);
    assert.deepEqual(event, { eventType: 'SHUTDOWN', deadlineMs: report.deadlineMs, shutdownReason: 'spindown' });
  }
  const { headers } = did(platform, 'next')[0];
  assert.equal(headers['lambda-extension-event-identifier'], undefined);
  assert.match(headers['content-type'], /^text\/plain/);
  assert.deepEqual(
    report.extensions.map(({ name, exitCode, signal, late }) => ({ name, exitCode, signal, late })),
    [
      { name: 'alpha', exitCode: 0, signal: null, late: false },
      { name: 'beta', exitCode: 0, signal: null, late: false }
    ]
  );
  assert.equal(report.runtime.signal, 'SIGTERM');
  assert.deepEqual(pids.filter(alive), []);
  assert.deepEqual(await platform.shutdown(), report);
  await assert.rejects(platform.invoke(), /shut down/);
});

test('shutdown: SIGTERM goes to the function first, and its last lines still arrive', async () => {
  const bootstrap = script(
    'bootstrap',
    // Without the shell's own word about the end of its child, which may come before its last line.
    `#!/bin/sh\nexec 2>/dev/null\ntrap 'echo goodbye; exit 0' TERM\n${EXAMPLES}node/bootstrap & wait $!\n`
  );
  const platform = await start(
    { alpha: { subscribe: { types: ['function'] } } },
    { bootstrap, taskRoot: `${EXAMPLES}node`, deliver: { shutdownFlush: 'before' } }
  );
  await platform.shutdown();
  assert.deepEqual(
    received(platform).map(({ record }) => record),
    ['goodbye']
  );
  assert.ok(platform.lines.find(({ line }) => line === 'goodbye').time < did(platform, 'next')[0].time);
});

test('shutdown: what is buffered is posted around the event', async () => {
  const subscribe = { types: ['function'], buffering: { timeoutMs: 30000, maxItems: 1000 } };
  for (const shutdownFlush of ['before', 'with']) {
    const platform = await start(
      { alpha: { subscribe, onShutdown: { untilPosted: 1500 } } },
      { deliver: { shutdownFlush } }
    );
    for (let n = 0; n < 1500; n += 1) platform.emit('function', n);
    const report = await platform.shutdown();
    assert.equal(received(platform).length, 1500);
    assert.equal(report.undelivered, 0);
  }
});

test('shutdown: nothing is flushed, or what waits for a POST is dropped', async () => {
  const buffering = { timeoutMs: 30000, maxItems: 1000 };
  for (const [shutdownFlush, arrive, dropped] of [
    ['none', 0, 0],
    ['drop', 1, 2]
  ]) {
    const fake = { subscribe: { types: ['function'], buffering }, heldPosts: 1 };
    const platform = await start({ alpha: fake }, { shutdownMs: 1000, deliver: { shutdownFlush, busy: 'drop' } });
    if (shutdownFlush === 'drop') {
      platform.emit('function', 'on its way');
      platform.flush();
      await platform.until(() => did(platform, 'held').length === 1);
    }
    for (let n = 0; n < 2; n += 1) platform.emit('function', n);
    const stopped = platform.shutdown();
    if (shutdownFlush === 'drop') {
      await platform.until(() => platform.drops.length === 1);
      release(platform);
    }
    await stopped;
    assert.deepEqual(
      [received(platform).length, platform.drops.flatMap(({ events }) => events).length],
      [arrive, dropped]
    );
  }
});

test('shutdown: what is left to the extensions when the runtime and the flush took their time', async () => {
  const platform = await start({ alpha: {} }, { shutdownLeftMs: 400 });
  const { deadlineMs } = await platform.shutdown();
  const told = nextEvents(platform, 'alpha')[0];
  assert.equal(told.deadlineMs, deadlineMs);
  const { time } = did(platform, 'next')[0];
  assert.ok(deadlineMs - (performance.timeOrigin + time) <= 401);
});

test('shutdown: SIGKILL past the deadline, at once for who did not register', async () => {
  const platform = await start(
    { alpha: { onShutdown: { hang: true } }, beta: { events: ['INVOKE'] } },
    { shutdownMs: 200 }
  );
  const { extensions } = await platform.shutdown();
  assert.deepEqual(
    extensions.map(({ name, signal, late }) => [name, signal, late]),
    [
      ['alpha', 'SIGKILL', true],
      ['beta', 'SIGKILL', false]
    ]
  );
  assert.equal(extensions[1].ms, null);
  assert.deepEqual(nextEvents(platform, 'beta'), []);
});

test('shutdown: status and reason are passed on', async () => {
  const platform = await start({ alpha: { onShutdown: { exit: 7 } } });
  const { extensions, reason } = await platform.shutdown('failure');
  assert.deepEqual([extensions[0].exitCode, reason], [7, 'failure']);
  assert.equal(nextEvents(platform, 'alpha')[0].shutdownReason, 'failure');
});

test('children of an extension end with it', async () => {
  const extensions = folder();
  const alpha = path.join(extensions, 'alpha');
  writeFileSync(
    alpha,
    `#!/bin/sh\nsleep 1000 &\necho "pid $!"\ncd / && node ${path.resolve(EXAMPLES, '../fakes/extension.mjs')} & wait $!\n`,
    { mode: 0o755 }
  );
  const platform = await start(
    {},
    { extensions, env: { FAKE: JSON.stringify({ 'extension.mjs': { name: 'alpha' } }) } }
  );
  const child = Number(platform.lines.find(({ line }) => line.startsWith('pid ')).line.slice(4));
  assert.ok(alive(child));
  await platform.shutdown();
  await untilGone(child);
});

test('timeout: runtimeDone says so, the function is killed, SHUTDOWN timeout; then a fresh start', async () => {
  const options = handler(
    'export const handler = (event) => (event.hang ? new Promise(() => setTimeout(() => {}, 1e6)) : "fine");'
  );
  const platform = await start({ alpha: {} }, { ...options, timeoutMs: 2000 });
  const first = platform.pids.alpha;
  const { status, error, shutdown, requestId } = await platform.invoke({ hang: true });
  assert.equal(status, 'timeout');
  assert.equal(error.errorMessage, `RequestId: ${requestId} Error: Task timed out after 2.00 seconds`);
  assert.deepEqual(
    [shutdown.reason, shutdown.runtime.signal, shutdown.extensions[0].exitCode],
    ['timeout', 'SIGTERM', 0]
  );
  assert.equal(platform.events.find(({ type }) => type === 'platform.runtimeDone').record.status, 'timeout');
  assert.equal(nextEvents(platform, 'alpha').at(-1).shutdownReason, 'timeout');
  assert.equal((await platform.invoke()).response, 'fine');
  assert.notEqual(platform.pids.alpha, first);
  assert.deepEqual(
    platform.events.filter(({ type }) => type === 'platform.initReport').map(({ record }) => record.phase),
    ['init', 'invoke']
  );
});

test('timeout: the time of the extensions counts too, though the answer is there', async () => {
  const platform = await start({ alpha: { onInvoke: { hang: true } } }, { ...NODE, timeoutMs: 700, shutdownMs: 200 });
  const outcome = await platform.invoke({ lines: 1 });
  assert.deepEqual([outcome.status, outcome.response, outcome.error], ['timeout', { lines: 1 }, undefined]);
  assert.equal(outcome.shutdown.extensions[0].signal, 'SIGKILL');
});

test('timeout while an extension holds: a second runtimeDone for the request, unless turned off', async () => {
  for (const runtimeDoneAtReset of [true, false]) {
    const platform = await start(
      { alpha: { onInvoke: { hang: true } } },
      { timeoutMs: 500, shutdownMs: 200, runtimeDoneAtReset }
    );
    const { requestId } = await platform.invoke();
    const done = platform.events.filter(({ type }) => type === 'platform.runtimeDone').map(({ record }) => record);
    assert.deepEqual(
      done.map((record) => [record.requestId, record.status]),
      [
        [requestId, 'success'],
        [requestId, 'timeout']
      ].slice(0, runtimeDoneAtReset ? 2 : 1)
    );
  }
});

// Whoever asks is let through.
async function openGate(t) {
  const server = http.createServer((request, response) => response.end('go on'));
  t.after(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

test('a streamed response: more than a whole one may have, or broken off by its trailers', async (t) => {
  const gate = await openGate(t);
  const platform = await start({ alpha: {} }, { bootstrap: `${FAKES}streaming_runtime.mjs` });
  const whole = await platform.invoke({ pieces: ['one', 'two'], times: 1_400_000, gate });
  assert.deepEqual([whole.status, whole.response.length], ['success', 8_400_000]);
  const { status, errorType, error, response } = await platform.invoke({ pieces: ['one'], gate, error: 'Function.Broken' });
  assert.deepEqual([status, errorType, error.errorMessage, response], ['error', 'Function.Broken', 'broken off', 'one']);
  const [first, second] = platform.events.filter(({ type }) => type === 'platform.runtimeDone').map(({ record }) => record);
  assert.deepEqual([first.metrics.producedBytes, second.status], [8_400_000, 'error']);
  assert.deepEqual(
    first.spans.map(({ name }) => name),
    ['responseLatency', 'responseDuration', 'runtimeOverhead']
  );
});

test('an init that fails is tried again by each invocation, with phase invoke, until it works', async () => {
  const count = path.join(folder(), 'count');
  const bootstrap = script(
    'bootstrap',
    `#!/bin/sh
echo x >>${count}
[ $(wc -l <${count}) -gt 2 ] || exit 3
exec ${EXAMPLES}node/bootstrap
`
  );
  const platform = await start({ alpha: {} }, { bootstrap, taskRoot: `${EXAMPLES}node`, initRetry: true });
  const { error, shutdown } = await platform.invoke();
  assert.deepEqual([error.errorType, shutdown.reason], ['Runtime.ExitError', 'failure']);
  assert.equal((await platform.invoke()).status, 'success');
  const reports = platform.events.filter(({ type }) => type === 'platform.initReport').map(({ record }) => record);
  assert.deepEqual(
    reports.map(({ phase, status }) => [phase, status]),
    [
      ['init', 'error'],
      ['invoke', 'error'],
      ['invoke', 'success']
    ]
  );
});

test('an init that an invocation begins counts against the time of the function', async () => {
  const late = path.join(folder(), 'late');
  const bootstrap = script(
    'bootstrap',
    `#!/bin/sh
[ ! -e ${late} ] || sleep 100
exec ${EXAMPLES}node/bootstrap
`
  );
  const platform = await start({ alpha: {} }, { bootstrap, taskRoot: `${EXAMPLES}node`, timeoutMs: 2000 });
  writeFileSync(late, '');
  await platform.invoke({}, { ends: 'crash' });
  const { status, shutdown } = await platform.invoke();
  assert.deepEqual([status, shutdown.reason], ['timeout', 'timeout']);
  const last = platform.events.findLast(({ type }) => type === 'platform.initReport').record;
  assert.deepEqual([last.status, last.errorType, last.phase], ['timeout', 'Sandbox.Timedout', 'invoke']);
  assert.equal(
    types(platform).filter((type) => type === 'initRuntimeDone').length,
    1,
    'none for an init that is overdue'
  );
});

test('a function whose process ends: error, SHUTDOWN failure', async () => {
  const platform = await start({ alpha: {} }, handler('export const handler = () => process.exit(5);'));
  const { error, shutdown } = await platform.invoke();
  assert.equal(error.errorType, 'Runtime.ExitError');
  assert.match(error.errorMessage, /exit code 5/);
  assert.equal(shutdown.reason, 'failure');
  assert.equal(nextEvents(platform, 'alpha').at(-1).shutdownReason, 'failure');
  assert.deepEqual(await platform.shutdown(), shutdown);
});

test('Managed Instances: a function whose process ends is replaced once, for all who ask', async () => {
  const text = 'export const handler = (event) => (event.end ? process.exit(0) : event.n);';
  const platform = await start({ alpha: { events: ['SHUTDOWN'] } }, { ...handler(text), managedInstances: true });
  assert.equal((await platform.invoke({ end: true })).shutdown.reason, 'failure');
  const outcomes = await Promise.all([platform.invoke({ n: 1 }), platform.invoke({ n: 2 })]);
  assert.deepEqual(
    outcomes.map(({ response }) => response),
    [1, 2]
  );
  assert.equal(platform.calls.filter(({ name }) => name === 'register').length, 2);
});

test('freeze: stopped between invocations, running within, the report delivered at the next', async () => {
  const platform = await start({ alpha: { subscribe: {}, linger: true } }, { ...NODE, freeze: true });
  const stopped = () => Promise.all([platform.pids.alpha, platform.runtimePid].map((pid) => untilState(pid, 'T')));
  await stopped();
  let within;
  await platform.invoke(
    {},
    {
      during: () => {
        within = processState(platform.runtimePid);
      }
    }
  );
  assert.notEqual(within, 'T');
  await stopped();
  const reports = () => received(platform).filter(({ type }) => type === 'platform.report').length;
  const before = reports();
  await platform.invoke();
  await platform.until(() => reports() > before);
  const report = await platform.shutdown();
  assert.equal(report.extensions[0].exitCode, 0);
});

test('freeze at drawn moments: some time after all are idle, the same with the same seed', async () => {
  const platform = await start({ alpha: { subscribe: {} } }, { ...NODE, freeze: 'drawn', seed: 1 });
  assert.equal(platform.seed, 1);
  for (let n = 0; n < 3; n += 1) {
    await untilState(platform.pids.alpha, 'T');
    assert.ok(platform.frozen);
    await platform.invoke();
  }
  assert.equal((await platform.shutdown()).extensions[0].exitCode, 0);
});

test('SnapStart: no word of it in the environment, frozen after init, restored by the first invocation', async () => {
  const platform = await start({ alpha: { subscribe: {} } }, { snapStart: true });
  assert.equal(did(platform, 'env')[0].env.AWS_LAMBDA_INITIALIZATION_TYPE, undefined);
  assert.equal(platform.events[0].record.initializationType, 'snap-start');
  await untilState(platform.pids.alpha, 'T');
  await platform.invoke();
  await platform.invoke();
  const told = types(platform);
  const restored = ['restoreStart', 'restoreRuntimeDone', 'restoreReport', 'start'];
  assert.deepEqual(told.slice(told.indexOf('restoreStart')).slice(0, 4), restored);
  assert.equal(told.filter((type) => type === 'restoreStart').length, 1);
  const reports = platform.events.filter(({ type }) => type === 'platform.report').map(({ record }) => record.metrics);
  assert.ok(reports[0].restoreDurationMs >= 0);
  assert.deepEqual([reports[0].initDurationMs, reports[1].restoreDurationMs], [undefined, undefined]);
});

test('SnapStart: no keys but where to fetch them; from the snapshot on others, once it is restored', async () => {
  const played = [];
  const platform = await start(
    { alpha: { subscribe: {} } },
    {
      snapStart: true,
      restoredCredentials: { accessKeyId: 'AKIDCOPY', secretAccessKey: 'secret', sessionToken: 'token' },
      env: { AWS_ACCESS_KEY_ID: 'AKIDINIT' },
      duringInit: async (emit, journal) => {
        await journal.until(() => did(journal, 'env').length > 0);
        emit('function', 'init');
        played.push(await ask(journal));
      },
      duringRestore: async (emit) => emit('function', 'restore')
    }
  );
  const { env } = did(platform, 'env')[0];
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) assert.ok(!(name in env));
  const waits = ask(platform).then((answer) => played.push(answer));
  played.push(await ask(platform, 'wrong'));
  assert.deepEqual(played, ['AKIDINIT', 404]);
  await platform.invoke({}, { restore: false });
  await waits;
  assert.deepEqual(played, ['AKIDINIT', 404, 'AKIDCOPY']);
  const lines = platform.events.filter(({ type }) => type === 'function').map(({ record }) => record);
  assert.deepEqual(lines, ['init', 'restore']);
  assert.ok(!types(platform).some((type) => type.startsWith('restore')));
});

// As the extension would; the key's id, or the status of a refusal.
async function ask(platform, token) {
  const { env } = did(platform, 'env')[0];
  const headers = { authorization: token ?? env.AWS_CONTAINER_AUTHORIZATION_TOKEN };
  const response = await fetch(env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers });
  return response.status === 200 ? (await response.json()).AccessKeyId : response.status;
}

test('a CPU quota holds for all processes of the sandbox together, and leaves nothing behind', async () => {
  const busy = script('busy', '#!/bin/sh\nwhile :; do :; done\n');
  const bootstrap = script('bootstrap', `#!/bin/sh\n${busy} &\n${busy} &\nexec ${EXAMPLES}node/bootstrap\n`);
  const options = { bootstrap, taskRoot: `${EXAMPLES}node`, cpu: { onMs: 20, periodMs: 100 }, initTimeoutMs: 60000 };
  const platform = await start({}, options);
  const used = () =>
    [platform.runtimePid, ...childrenOf(platform.runtimePid)].map(cpuTicks).reduce((sum, ticks) => sum + ticks, 0);
  const [before, began] = [used(), performance.now()];
  await sleep(1000);
  const share = ((used() - before) * 10) / (performance.now() - began);
  assert.ok(share < 0.5, `${share} of a CPU, where 0.2 are allowed and two would be used`);
  assert.equal((await platform.invoke()).status, 'success');
  await platform.kill();
  const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu'].filter((folder) => existsSync(folder));
  const left = groups
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.startsWith(`lambda-platform-${process.pid}-`));
  assert.deepEqual(left, []);
});

const root = { skip: process.getuid() !== 0 && 'only root can give up what it takes' };
test("confined: Lambda's user, priority and limits; only /tmp can be written to", root, async () => {
  const place = path.join(folder(), 'place');
  const extensions = folder();
  const alpha = `#!/bin/sh
processes=$(awk '/Max processes/ { print $3 }' /proc/self/limits)
echo "$(id -u) $(id -g) $(nice) $(ulimit -n) $processes $(cat /proc/self/oom_score_adj)"
echo x 2>/dev/null >/usr/written || echo read-only
echo x >${place} && echo written
`;
  writeFileSync(path.join(extensions, 'alpha'), alpha, { mode: 0o755 });
  for (const made of [extensions, path.dirname(place)]) chmodSync(made, 0o777);
  await assert.rejects(start({}, { extensions, confined: true }), ({ platform }) => {
    assert.deepEqual(
      platform.lines.map(({ line }) => line),
      ['993 990 10 1024 1024 1000', 'read-only', 'written']
    );
    return true;
  });
});

test('members that an event has or has not', async () => {
  const options = { tenantId: 'blue', alias: 'live', instanceMaxMemory: '268435456' };
  const platform = await start({ alpha: {} }, options);
  await platform.invoke();
  const record = (type) => platform.events.find((event) => event.type === `platform.${type}`).record;
  for (const type of ['start', 'runtimeDone', 'report']) assert.equal(record(type).tenantId, 'blue');
  assert.match(record('start').tracing.spanId, /^[0-9a-f]{16}$/);
  assert.equal(record('initStart').instanceMaxMemory, '268435456');
  assert.match(record('initStart').functionArn, /:function:local-function$/);
  assert.match(nextEvents(platform, 'alpha')[0].invokedFunctionArn, /:function:local-function:live$/);
  const plain = await start({ alpha: {} }, { tracing: false });
  await plain.invoke();
  assert.equal(nextEvents(plain, 'alpha')[0].tracing, undefined);
  const own = plain.events.filter(({ category }) => category === 'platform');
  for (const { record: one } of own) assert.ok(!('tracing' in one) && !('tenantId' in one));
});

test('a next whose connection broke takes the event with it; asked again it is refused, or taken', async () => {
  const told = (options) =>
    start({ alpha: { abandonsNext: true } }, options).then(async (platform) => {
      await platform.until(() => platform.calls.filter(({ name }) => name === 'next').length > 1);
      await platform.invoke();
      return nextEvents(platform, 'alpha').map(({ eventType, errorType }) => eventType ?? errorType);
    });
  const refused = await told({});
  assert.equal(refused[0], 'Extension.InvalidExtensionState');
  assert.ok(!refused.includes('INVOKE'));
  assert.deepEqual(await told({ nextAgain: 'taken' }), ['INVOKE']);
});

test('freeze by hand, thaw by hand', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'] } } });
  platform.freeze();
  await untilState(platform.pids.alpha, 'T');
  platform.emit('function', 'meanwhile');
  platform.thaw();
  await flushed(platform);
  assert.equal(received(platform)[0].record, 'meanwhile');
});

test('Managed Instances: at once, without INVOKE and runtimeDone', async () => {
  const options = handler(`
    let open;
    let waiting = 0;
    const both = new Promise((resolve) => { open = resolve; });
    export async function handler(event) {
      waiting += 1;
      if (waiting === 2) open();
      await both;
      return [event.n, process.env.AWS_LAMBDA_MAX_CONCURRENCY];
    }`);
  const platform = await start(
    { alpha: { events: ['SHUTDOWN'], subscribe: { types: ['platform'] } } },
    { ...options, managedInstances: true, freeze: true }
  );
  const outcomes = await Promise.all([platform.invoke({ n: 1 }), platform.invoke({ n: 2 })]);
  assert.deepEqual(
    outcomes.map(({ response }) => response),
    [
      [1, '4'],
      [2, '4']
    ]
  );
  assert.equal(platform.frozen, false);
  const report = await platform.shutdown();
  assert.equal(report.extensions[0].exitCode, 0);
  const types = platform.events.map(({ type }) => type);
  assert.ok(!types.includes('platform.runtimeDone'));
  const reports = platform.events.filter(({ type }) => type === 'platform.report').map(({ record }) => record);
  assert.deepEqual(reports.map(({ requestId }) => requestId).sort(), outcomes.map(({ requestId }) => requestId).sort());
  for (const { metrics, spans } of reports) {
    assert.deepEqual(Object.keys(metrics), ['durationMs']);
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['responseLatency', 'responseDuration']
    );
  }
  assert.deepEqual(
    nextEvents(platform, 'alpha').map(({ eventType }) => eventType),
    ['SHUTDOWN']
  );
});

test("faults: replies in place of the platform's, lost ones, late ones", async () => {
  const notJson = '{"errorType": "ValidationError", "errorMessage": "a "quoted" word"}';
  const platform = await start(
    { alpha: {} },
    {
      faults: {
        register: [
          { status: 500, body: { errorType: 'InternalServerError', errorMessage: 'x' } },
          'drop',
          { status: 403, headers: { 'X-Fault': 'yes' }, body: notJson },
          { raw: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nConnection: close\r\n\r\nend by close' },
          { delay: 20 }
        ],
        next: [{ drop: true }, { status: 500, body: '' }, null]
      }
    }
  );
  const replies = did(platform, 'register').map(({ status, body }) => [status, body]);
  assert.deepEqual(replies.slice(0, 4), [
    [500, '{"errorType":"InternalServerError","errorMessage":"x"}'],
    ['ECONNRESET', ''],
    [403, notJson],
    [503, 'end by close']
  ]);
  assert.equal(replies[4][0], 200);
  assert.deepEqual(
    did(platform, 'next').map(({ status }) => status),
    ['ECONNRESET', 500]
  );
  assert.deepEqual(
    platform.calls.map(({ name, status }) => [name, status]),
    [
      ['register', 500],
      ['register', 'drop'],
      ['register', 403],
      ['register', 'raw'],
      ['register', 200],
      ['next', 'drop'],
      ['next', 500],
      ['next', null]
    ]
  );
});

test('faults: the platform acts, only its reply is lost; a function as script', async () => {
  const platform = await start(
    { alpha: { subscribe: {} } },
    {
      faults: {
        subscribe: ({ n, extension }) =>
          n === 0 && extension === 'alpha' ? { act: true, status: 202, body: '{}' } : null
      }
    }
  );
  assert.equal(did(platform, 'subscribe')[0].status, 202);
  assert.ok(platform.events.some(({ type }) => type === 'platform.telemetrySubscription'));
  await assert.rejects(start({}, { faults: { register2: [] } }), /no fault can be scripted for register2/);
});

test('kill leaves nobody, in whatever state', async () => {
  const platform = await start({ alpha: { onShutdown: { hang: true } }, beta: {} }, { ...NODE, freeze: true });
  const pids = [...Object.values(platform.pids), platform.runtimePid];
  assert.deepEqual(pids.filter(alive), pids);
  await platform.kill();
  assert.deepEqual(pids.filter(alive), []);
  await platform.kill();
});

test('until gives up with the condition in its message', async () => {
  const platform = await start({});
  await assert.rejects(
    platform.until(() => platform.lines.length > 5, 10),
    /lines.length > 5/
  );
});
