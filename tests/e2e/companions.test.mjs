/*
 * Who else is in the sandbox: other extensions that subscribe as well, the Lambda Web Adapter, which is an extension
 * and asks for the events of the function, and runtimes whose responses are streamed.
 */
import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder } from './support/folder.mjs';
import { Gate } from './support/gate.mjs';
import { light } from './support/light.mjs';
import { NAME, extensionLogs, extensionsFolder, freePort } from './support/stand.mjs';
import { until } from './support/until.mjs';

const fake = (name) => fileURLToPath(new URL(`../platform/fakes/${name}.mjs`, import.meta.url));
const EVENT = { TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_FLUSH: 'end' };
const FAR_MS = 30_000; /* a deadline that nothing may wait for */
const HELD_MAX_MS = FAR_MS / 2;

/* Ours and another extension. */
async function withOther(name, file) {
  const folder = await extensionsFolder();
  await symlink(file, join(folder, name));
  return folder;
}

/* A test with another extension beside ours, in a folder that goes with it. */
function beside({ title, name, file, env = {}, platform = {} }, body) {
  light(title, async () => ({
    env: { ...EVENT, ...env },
    platform: { extensions: await withOther(name, file), timeoutMs: FAR_MS, ...platform }
  }), async (stand, { platform: { extensions } }) => {
    try {
      await body(stand);
    } finally {
      removeFolder(extensions);
    }
  });
}

const linesOf = ({ arrived }) => arrived.filter(({ type }) => type === 'function').map(({ record }) => record);
const recordOf = ({ data }) => JSON.parse(data).record;
const texts = (stand) => stand.arrived.map(recordOf).map((record) => record.message ?? record);
const held = ({ status, holdMs }) => {
  assert.equal(status, 'success');
  assert.ok(holdMs < HELD_MAX_MS, `held for ${holdMs} ms`);
};

/* --- another that subscribes --- */

const COMPANION = 'companion';
const ALL = ['platform', 'function', 'extension'];

function companion(title, does, options, body) {
  const env = { ...options.env, FAKE: JSON.stringify({ [COMPANION]: { subscribe: { types: ALL }, ...does } }) };
  const full = `another extension subscribes: ${title}`;
  beside({ ...options, title: full, name: COMPANION, file: fake('extension'), env }, body);
}

/* What the companion said that it did. */
const did = (stand, what) => extensionLogs(stand.platform, COMPANION).logs.filter((one) => one.did === what);

async function logThrice(stand) {
  const lines = [];
  for (let n = 0; n < 3; n += 1) {
    const some = Array.from({ length: 20 }, (_, i) => `line ${n}-${i}`);
    held(await stand.log(some));
    lines.push(...some);
  }
  return lines;
}

companion('both have each line, once', { tally: true }, { platform: { maxLineBytes: 1024 * 1024 } }, async (stand) => {
  const lines = await logThrice(stand);
  await stand.platform.flush();
  assert.deepEqual(linesOf(await stand.finish()), lines);
  const [{ events }] = did(stand, 'tally');
  assert.deepEqual(linesOf({ arrived: events }), lines);
  assert.deepEqual(stand.complaints, []);
});

/* What it writes comes back to it, and to us: a loop that AWS's documentation warns of. */
companion('it writes a line for each POST, which is telemetry, and we forward it', { echoes: true }, {
  env: { TELEMETRY_TYPES: 'function,extension', TELEMETRY_FLUSH_BUDGET_MS: '500' }
}, async (stand) => {
  const lines = await logThrice(stand);
  await until('its lines', () => stand.arrived.some(({ data }) => data.includes('echo')));
  const end = await stand.finish();
  assert.deepEqual(linesOf(end), lines);
  const others = end.arrived.filter(({ type }) => type === 'extension').map(({ record }) => record);
  assert.ok(others.length > 0 && others.every((record) => record.startsWith('{"did":')), 'its lines, and none of ours');
});

companion('it never answers a POST', { silent: true, tally: true }, {
  platform: { deliver: { busy: 'drop', timeoutMs: 1_000 } }
}, async (stand) => {
  const lines = await logThrice(stand);
  assert.deepEqual(linesOf(await stand.finish()), lines);
  assert.deepEqual(stand.complaints, []);
});

companion('it holds each invocation longer than we do', { linger: true }, {}, async (stand) => {
  const lines = await logThrice(stand);
  assert.deepEqual(linesOf(await stand.finish()), lines);
});

companion('it holds an invocation to its end, and the environment is reset', { onInvoke: { hang: true } }, {
  platform: { timeoutMs: 1_500, shutdownMs: 3_000 }
}, async (stand) => {
  const { status, shutdown } = await stand.log(['a', 'b']);
  assert.equal(status, 'timeout');
  resetWell(stand, shutdown, 'timeout');
  assert.deepEqual(texts(stand), ['a', 'b']);
});

/* A life that a reset has ended. */
function resetWell(stand, shutdown, reason) {
  const [exit] = shutdown.extensions.filter(({ name }) => name === NAME);
  assert.deepEqual([shutdown.reason, exit.exitCode, exit.late], [reason, 0, false]);
  const ledgers = stand.logs.filter(({ message }) => message === 'ledger');
  assert.equal(ledgers.length, 1);
  assert.equal(ledgers[0].received, ledgers[0].delivered);
}

/* --- responses that are streamed --- */

/* What we asked for so far: one `next` for init, one for each invocation that is over. */
const nexts = (stand) => stand.platform.calls.filter(({ name, extension }) => name === 'next' && extension === NAME).length;

/* Lets a function pass the gate, piece by piece: what it has logged is in the stream while it runs, and it is held. */
async function passes(stand, gate, pieces, told) {
  const before = nexts(stand);
  for (let n = 0; n < pieces; n += 1) {
    await gate.asked(1);
    await until(`piece ${n}`, () => texts(stand).some((text) => told(text, n)));
    assert.equal(nexts(stand), before, 'it is held while the response is streamed');
    gate.open();
  }
}

const PIECES = ['one ', 'two ', 'three'];
const STREAMING = { bootstrap: fake('streaming_runtime'), logFormat: 'JSON', timeoutMs: FAR_MS };

async function gated(body) {
  const gate = await Gate.start();
  try {
    await body(gate);
  } finally {
    await gate.stop();
  }
}

for (const freeze of [false, true]) {
  light(`a response that is streamed: lines arrive while it is, and the invocation is held for the last${freeze ? '; frozen behind it' : ''}`,
    { env: EVENT, platform: { ...STREAMING, freeze } }, (stand) => gated(async (gate) => {
      const lines = [];
      for (let n = 0; n < 2; n += 1) {
        const invoked = stand.platform.invoke({ pieces: PIECES, gate: gate.url });
        await passes(stand, gate, PIECES.length, (text, piece) => text === `piece ${piece}` &&
          texts(stand).filter((one) => one === text).length === n + 1);
        const result = await invoked;
        held(result);
        assert.equal(result.response, PIECES.join(''));
        lines.push('piece 0', 'piece 1', 'piece 2', 'complete');
        assert.deepEqual(texts(stand), lines, 'all of it is delivered by the end');
      }
      assert.equal((await stand.finish()).ledger.delivered, lines.length);
      assert.deepEqual(stand.complaints, []);
    }));
}

light('a response that breaks off with an error in its trailers: what is held for such an end is sent', {
  env: { ...EVENT, TELEMETRY_LEVEL: 'ERROR', TELEMETRY_LEVEL_ON_ERROR: 'INFO' }, platform: STREAMING
}, (stand) => gated(async (gate) => {
  for (const error of [undefined, 'Function.Broken']) {
    const invoked = stand.platform.invoke({ pieces: ['one'], gate: gate.url, error });
    await gate.asked(1);
    await stand.platform.flush();
    gate.open();
    const { status, errorType } = await invoked;
    assert.deepEqual([status, errorType], error ? ['error', error] : ['success', undefined]);
  }
  await stand.platform.flush();
  await stand.finish();
  assert.deepEqual(texts(stand), ['piece 0', 'complete'], 'those of the second');
}));

light('a response that is streamed beyond the time-out: what was logged is in the stream', {
  env: EVENT, platform: { ...STREAMING, timeoutMs: 1_500 }
}, (stand) => gated(async (gate) => {
  const { status, shutdown } = await stand.platform.invoke({ pieces: ['one'], gate: gate.url });
  assert.equal(status, 'timeout');
  resetWell(stand, shutdown, 'timeout');
  assert.deepEqual(texts(stand), ['piece 0']);
}));

/* --- the Lambda Web Adapter --- */

const ADAPTER = 'lambda-adapter';
const SERVER = { bootstrap: fake('web_server'), timeoutMs: FAR_MS, freeze: true };
const INVOCATIONS = 3;

for (const mode of ['buffered', 'response_stream']) {
  for (const types of ['function', 'function,extension']) {
    light(`the Lambda Web Adapter, ${mode}, with TELEMETRY_TYPES=${types}`, async () => ({
      env: { ...EVENT, TELEMETRY_TYPES: types, AWS_LWA_PORT: String(await freePort()), AWS_LWA_INVOKE_MODE: mode },
      platform: { ...SERVER, extensions: await withOther(ADAPTER, fake('web_adapter')) }
    }), (stand, { platform }) => gated(async (gate) => {
      const lines = [];
      const asked = [];
      for (let n = 0; n < INVOCATIONS; n += 1) {
        const requestId = `7d4c1b3e-0f6a-4d0c-9a66-5b9f5a7e1c1${n}`;
        const invoked = stand.platform.invoke({ pieces: PIECES, gate: gate.url }, { requestId });
        await passes(stand, gate, PIECES.length, (text, piece) => text === `${requestId} piece ${piece}`);
        const result = await invoked;
        held(result);
        assert.match(mode === 'buffered' ? result.response.body : result.response, /one two three$/);
        lines.push(...PIECES.map((_, piece) => `${requestId} piece ${piece}`), `${requestId} complete`);
        asked.push(`adapter ${requestId}`);
      }
      const end = await stand.finish();
      assert.deepEqual(linesOf(end).filter((line) => line !== 'drained').sort(), lines.sort());
      assert.ok(linesOf(end).includes('drained'), 'what the server says upon SIGTERM');
      const others = end.arrived.filter(({ type }) => type === 'extension').map(({ record }) => record);
      assert.deepEqual(others, types.includes('extension') ? asked : []);
      assert.deepEqual(stand.complaints, []);
      removeFolder(platform.extensions);
    }));
  }
}
