/*
 * What Lambda does, or may do, and a platform that means well does not: lost and late events, freezes in the midst of a
 * POST, little CPU, few rights, connections that break with an event in them.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContainerCredentials } from './support/container_credentials.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { CREDENTIALS } from './support/front.mjs';
import { Light, light } from './support/light.mjs';
import { BINARY, EMULATED, NAME } from './support/stand.mjs';
import { until } from './support/until.mjs';

const ENRICHED = { TELEMETRY_RECORD_FORMAT: 'enriched' };
const EVENT = { TELEMETRY_RECORD_FORMAT: 'event' };
const FAR_MS = 20_000; /* a deadline that nothing may wait for */
const HELD_MAX_MS = FAR_MS / 2;

const logging = (...lines) => ({ during: async (emit) => lines.forEach((line) => emit('function', line)) });
const records = (end) => end.arrived.map(({ record }) => record);

light('platform.start of the second invocation is lost: its lines have its request id, and are no cold start',
  { env: ENRICHED }, async (stand) => {
    const first = await stand.platform.invoke({}, logging('a'));
    const second = await stand.platform.invoke({}, { ...logging('b'), start: false });
    const { arrived } = await stand.finish();
    const of = (line) => arrived.find(({ record }) => record === line);
    assert.deepEqual([of('a').requestId, of('a').coldStart], [first.requestId, true]);
    assert.deepEqual([of('b').requestId, of('b').coldStart], [second.requestId, false]);
  });

light('a second runtimeDone for the same request changes nothing', { env: EVENT, platform: { timeoutMs: FAR_MS } },
  async (stand) => {
    for (let n = 0; n < 3; n += 1) {
      const { status, holdMs } = await stand.platform.invoke({}, { ...logging(`line ${n}`), runtimeDone: 'twice' });
      assert.equal(status, 'success');
      assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
    }
    assert.deepEqual(records(await stand.finish()), ['line 0', 'line 1', 'line 2']);
  });

light('the same request id again, as in a retry, behind a late runtimeDone of the first try: held until its line is delivered',
  { env: { ...EVENT, TELEMETRY_FLUSH: 'end' }, platform: { timeoutMs: FAR_MS } }, async (stand) => {
    const requestId = '7d4c1b3e-0f6a-4d0c-9a66-5b9f5a7e1c11';
    for (const [line, runtimeDone] of [['first', 'twice'], ['again', true]]) {
      const { holdMs } = await stand.platform.invoke({}, { ...logging(line), requestId, runtimeDone });
      assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
      assert.equal(JSON.parse(stand.arrived.at(-1).data).record, line);
      await stand.platform.flush(); /* what came behind its end is heard before the retry */
    }
    await stand.finish();
  });

light('an INVOKE with a trace id of 20,000 characters: the next one comes at once',
  { env: EVENT, platform: { timeoutMs: FAR_MS } }, async (stand) => {
    const traceId = `Root=1-${'a'.repeat(20_000)}`;
    for (let n = 0; n < 5; n += 1) {
      await stand.platform.invoke({}, { ...logging(`line ${n}`), traceId });
    }
    assert.equal((await stand.finish()).ledger.delivered, 5);
    assert.deepEqual(stand.complaints, []);
  });

light('lines that come behind runtimeDone, or behind the next start: each arrives once',
  { env: EVENT, platform: { lineDelayMs: [0, 60], seed: 4 } }, async (stand) => {
    const lines = Array.from({ length: 40 }, (_, n) => `line ${n}`);
    for (let at = 0; at < lines.length; at += 4) {
      await stand.platform.invoke({}, logging(...lines.slice(at, at + 4)));
    }
    await stand.platform.flush();
    assert.deepEqual(records(await stand.finish()).sort(), [...lines].sort());
  });

light('frozen at drawn moments, in the midst of a POST too: each line arrives, none twice',
  { env: EVENT, platform: { freeze: 'drawn', deliver: { halvesMs: 8 } } }, async (stand) => {
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`);
    for (let at = 0; at < lines.length; at += 3) {
      await stand.platform.invoke({}, logging(...lines.slice(at, at + 3)));
      await until('the freeze', () => stand.platform.frozen);
    }
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual(arrived.map(({ record }) => record).sort(), [...lines].sort(), `seed ${stand.platform.seed}`);
    assert.equal(ledger.duplicatesPossible, 0);
  });

light('POSTs in pieces of 4 KiB', { env: EVENT, platform: { deliver: { pieceBytes: 4_096 } } }, async (stand) => {
  const lines = Array.from({ length: 2_000 }, (_, n) => `line ${n} `.padEnd(300, 'x'));
  await stand.platform.invoke({}, logging(...lines));
  assert.deepEqual(records(await stand.finish()).sort(), [...lines].sort());
});

light("Go's JSON arrives as it is", { env: EVENT }, async (stand) => {
  await stand.platform.invoke({}, logging('<a & b>\u2028'));
  await stand.finish();
  assert.match(stand.arrived[0].data, /"record":"\\u003ca \\u0026 b\\u003e\\u2028"/);
});

/* Of a function that may run for half an hour, and on Managed Instances for an hour and a half. */
for (const timeoutMs of [1_800_000, 5_400_000]) {
  light(`a time-out of ${timeoutMs / 1_000} s, and limits as long: held until the line is delivered, and no longer`, {
    env: { ...EVENT, TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: `${timeoutMs}`, TELEMETRY_HOLD_SILENCE_MS: `${timeoutMs}` },
    platform: { timeoutMs }
  }, async (stand) => {
    for (let n = 0; n < 3; n += 1) {
      const { status, holdMs } = await stand.platform.invoke({}, logging(`line ${n}`));
      assert.equal(status, 'success');
      assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
      assert.equal(stand.arrived.length, n + 1);
    }
    assert.deepEqual(records(await stand.finish()), ['line 0', 'line 1', 'line 2']);
    assert.deepEqual(stand.complaints, []);
  });
}

/* What Web Functions tell of themselves, and a type that nobody knows yet. */
const OF_OTHERS = ['invokeStart', 'requestComplete', 'invokeSummary', 'invokeReport', 'spinDownStart', 'spinDownReport', 'brandNew'];

light('events of types that mean nothing here: they arrive as they came, and neither end nor prolong an invocation', {
  env: { ...EVENT, TELEMETRY_TYPES: 'platform,function', TELEMETRY_FLUSH: 'end' }, platform: { timeoutMs: FAR_MS }
}, async (stand) => {
  const told = [];
  for (let n = 0; n < 2; n += 1) {
    const requestId = `7d4c1b3e-0f6a-4d0c-9a66-5b9f5a7e1c1${n}`;
    const { status, holdMs, endedAt } = await stand.platform.invoke({}, {
      requestId,
      during: async (emit) => {
        for (const type of OF_OTHERS) {
          const record = { requestId, status: type === 'invokeReport' ? 'error' : 'success', metrics: { durationMs: 1.5 } };
          told.push([`platform.${type}`, record]);
          emit(`platform.${type}`, record);
        }
        await stand.platform.flush(); /* what is wrong about them would show before the function ends */
        emit('function', `line ${n}`);
        await stand.platform.flush();
      }
    });
    assert.equal(status, 'success');
    assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
    const next = stand.platform.calls.filter(({ name }) => name === 'next').at(-1);
    assert.ok(next.time >= endedAt, 'next comes behind the end');
  }
  const { arrived } = await stand.finish();
  const own = arrived.filter(({ type }) => OF_OTHERS.includes(type.slice('platform.'.length)));
  assert.deepEqual(own.map(({ type, record }) => [type, record]), told);
  assert.deepEqual(stand.complaints, []);
});

light('members that an event has or has not', {
  env: { ...EVENT, TELEMETRY_TYPES: 'platform,function' },
  platform: { tenantId: 'blue', alias: 'live', tracing: false, instanceMaxMemory: '268435456' }
}, async (stand) => {
  const { status } = await stand.platform.invoke({}, logging('x'));
  assert.equal(status, 'success');
  const { arrived } = await stand.finish();
  assert.ok(arrived.some(({ type, record }) => type === 'platform.start' && record.tenantId === 'blue'));
});

for (const nextAgain of ['refused', 'taken']) {
  /* The second call of next is the one that INVOKE goes to. */
  const faults = { next: [{ act: true, drop: true }] };
  light(`next breaks with INVOKE in it, and asked again it is ${nextAgain}: nothing is lost`,
    { env: EVENT, platform: { nextAgain, faults, timeoutMs: FAR_MS } }, async (stand) => {
      for (let n = 0; n < 3; n += 1) {
        assert.equal((await stand.platform.invoke({}, logging(`line ${n}`))).status, 'success');
      }
      assert.deepEqual(records(await stand.finish()).sort(), ['line 0', 'line 1', 'line 2']);
    });
}

for (const [what, cpu] of [['128 MB', { onMs: 7, periodMs: 100 }], ['350 MB', { onMs: 20, periodMs: 100 }]]) {
  light(`the CPU that comes with ${what}: all lines are accounted for, no invocation is held to its deadline`, {
    env: EVENT, platform: { cpu, timeoutMs: FAR_MS, initTimeoutMs: 60_000, deliver: { busy: 'drop' } }
  }, async (stand) => {
    const invocations = 5;
    const lines = 300;
    for (let i = 0; i < invocations; i += 1) {
      const { status, holdMs } = await stand.platform.invoke({}, logging(...Array.from({ length: lines }, (_, n) => `${i}-${n}`)));
      assert.equal(status, 'success');
      assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
    }
    const { ledger } = await stand.finish();
    const dropped = stand.platform.drops.reduce((sum, drop) => sum + drop.records.function, 0);
    assert.equal(ledger.received + dropped, invocations * lines);
  });
}

const ONLY_ROOT = process.getuid() !== 0 && 'only root can give up what it takes';

test("as Lambda's user, with its limits, and a file system that can only be read but for /tmp",
  { skip: ONLY_ROOT || (EMULATED && 'its emulator cannot be read') }, async () => {
    const folder = await temporaryFolder('confined-');
    copyFileSync(BINARY, join(folder, NAME));
    [folder, join(folder, NAME)].forEach((one) => chmodSync(one, 0o755));
    const stand = await Light.start({ env: EVENT, platform: { extensions: folder, confined: true } });
    try {
      await stand.platform.invoke({}, logging('a', 'b', 'c'));
      assert.deepEqual(records(await stand.finish()), ['a', 'b', 'c']);
      assert.deepEqual(stand.complaints, []);
    } finally {
      await stand.stop();
      removeFolder(folder);
    }
  });

test('SnapStart that nothing in the environment tells of: other credentials after the restoration, delivered', async () => {
  const endpoint = await ContainerCredentials.start({ credentials: CREDENTIALS });
  const stand = await Light.start({ env: { ...EVENT, ...endpoint.environment() }, platform: { snapStart: true } });
  try {
    const before = endpoint.requests.length;
    assert.equal(stand.front.statistics.connections, 0, 'no connection is in the snapshot');
    await stand.platform.invoke({}, logging('a'));
    await stand.platform.invoke({}, logging('b'));
    assert.deepEqual(records(await stand.finish()), ['a', 'b']);
    assert.ok(endpoint.requests.length > before, 'credentials are fetched after the restoration');
  } finally {
    await stand.stop();
    await endpoint.stop();
  }
});
