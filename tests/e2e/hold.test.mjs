/*
 * How long an invocation is held when its end is lost on the way, and what is heard at a sandbox' end.
 * Bounds are far from both the right time and the deadline, so that a busy machine meets neither.
 */
import assert from 'node:assert/strict';
import { light } from './support/light.mjs';
import { RawClient, request, talk } from './support/raw_client.mjs';
import { until } from './support/until.mjs';

const DEADLINE_MS = 40_000;
const SOON_MS = 20_000;
const LOST = { runtimeDone: false };
const OPTIONS = { env: { TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: null }, platform: { timeoutMs: DEADLINE_MS } };

function withEnv(env) {
  return { ...OPTIONS, env: { ...OPTIONS.env, ...env } };
}

/* Where the platform was asked to post. */
function listener(stand) {
  const [{ destination }] = stand.bodies('subscribe');
  const { port, pathname } = new URL(destination.URI);
  return { port: Number(port), target: pathname };
}

const EVENT = '{"time":"2026-11-29T12:00:00.000Z","type":"function","record":"posted"}';

async function post(stand, body, statuses = [200]) {
  const { port, target } = listener(stand);
  const answered = await talk(port, [request(body, { target })]);
  assert.deepEqual(answered.statuses, statuses);
}

/* Each a sign that something was lost on its way; the end may have been among it. */
const signs = {
  'platform.logsDropped': (stand, emit) => emit('platform.logsDropped', { reason: 'slow', droppedRecords: 3, droppedBytes: 300 }),
  'a POST that is cut': (stand) => post(stand, `[${EVENT},{"time":"2026-11-29T12:00:00.000Z","type":"function","record":"a`),
  'a POST that is no array': (stand) => post(stand, '{"no":"array"}'),
  'a POST that is answered 400': async (stand) => {
    const { port, target } = listener(stand);
    const fields = [['Content-Length', 'x']];
    const { statuses } = await talk(port, [request('', { target, fields, length: false })]);
    assert.deepEqual(statuses, [400]);
  },
  'a POST that breaks off': async (stand) => {
    const { port, target } = listener(stand);
    const client = await RawClient.connect(port);
    await client.write(request(`[${EVENT},`, { target, length: false, fields: [['Content-Length', 1000]] }));
    client.destroy();
  }
};

for (const [name, sign] of Object.entries(signs)) {
  light(`the end is lost, the sign of it: ${name}`, OPTIONS, async (stand) => {
    const lost = await stand.platform.invoke({}, {
      ...LOST,
      during: async (emit) => {
        emit('function', 'a line');
        await sign(stand, emit);
      }
    });
    assert.equal(lost.status, 'success');
    assert.ok(lost.holdMs < SOON_MS, `held for ${lost.holdMs} ms of ${DEADLINE_MS}`);
    /* the next one is heard as ever */
    const { holdMs } = await stand.log(['another line']);
    assert.ok(holdMs < SOON_MS, `held for ${holdMs} ms`);
    await stand.finish();
  });
}

light('the end is lost without any sign: TELEMETRY_HOLD_SILENCE_MS', withEnv({ TELEMETRY_HOLD_SILENCE_MS: '1000' }),
  async (stand) => {
    const { holdMs } = await stand.platform.invoke({}, { ...LOST, during: async (emit) => emit('function', 'a line') });
    assert.ok(holdMs < SOON_MS, `held for ${holdMs} ms of ${DEADLINE_MS}`);
    await stand.finish();
  });

light('the buffering is no longer than the budget', withEnv({
  TELEMETRY_FLUSH_BUDGET_MS: '0', TELEMETRY_BUFFER_TIMEOUT_MS: '30000'
}), async (stand) => {
  const { holdMs } = await stand.log(['a line']);
  assert.ok(holdMs < SOON_MS, `held for ${holdMs} ms`);
  assert.deepEqual(stand.bodies('subscribe').map(({ buffering }) => buffering.timeoutMs), [25]);
  assert.deepEqual(stand.complaints, ['TELEMETRY_BUFFER_TIMEOUT_MS: "30000" is not allowed; ' +
    'allowed: at most TELEMETRY_FLUSH_BUDGET_MS, 0; using 25']);
  await stand.finish();
});

light('continuous delivery holds nothing, so its buffering may be long', withEnv({
  TELEMETRY_FLUSH: 'continuous', TELEMETRY_FLUSH_BUDGET_MS: '0', TELEMETRY_BUFFER_TIMEOUT_MS: '30000'
}), async (stand) => {
  assert.deepEqual(stand.bodies('subscribe').map(({ buffering }) => buffering.timeoutMs), [30_000]);
  assert.deepEqual(stand.complaints, []);
});

light('SHUTDOWN waits for a POST only while it moves', { ...OPTIONS, platform: { shutdownMs: DEADLINE_MS } }, async (stand) => {
  const { port, target } = listener(stand);
  const client = await RawClient.connect(port);
  await client.write(request(`[${EVENT},${EVENT},`, { target, length: false, fields: [['Content-Length', 1000]] }));
  await until('both arrive', () => stand.arrived.length === 2);
  const begun = performance.now();
  const { ledger } = await stand.finish();
  const took = performance.now() - begun;
  assert.ok(took < SOON_MS, `${took} ms of ${DEADLINE_MS}`);
  assert.equal(ledger.delivered, 2);
  client.destroy();
});

const LOGGER = 'kinesis-telemetry-api-extension';

/* What another extension may write: it looks like ours, and is not. */
const others = [
  `{"logger":"${LOGGER}","message":"no time"}`,
  `{"time":"2020-01-01T00:00:00.000Z","level":"warn","logger":"${LOGGER}","message":"another time"}`,
  JSON.stringify(`saw {"time":"2020-01-01T00:00:00.000Z","level":"warn","logger":"${LOGGER}","message":"m"}`),
  JSON.stringify(`{"time":"2020-01-01T00:00:00.000Z","level":"warn","logger":"${LOGGER}","message":"m"}`),
  '{"Data":"x","PartitionKey":"k"}',
  '{"DataBase64":"eA==","PartitionKey":"k"}',
  JSON.stringify('{"Data":"x","PartitionKey":"k"}'),
  `{"sandbox":"0123456789abcdef0123456789abcdef","Data":"x","PartitionKey":"k"}`
];

for (const deadLetter of ['stderr', null]) {
  light(`lines of another extension that look like ours arrive, with TELEMETRY_DEAD_LETTER=${deadLetter ?? ''}`, {
    env: { TELEMETRY_TYPES: 'function,extension', TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_DEAD_LETTER: deadLetter }
  }, async (stand) => {
    await stand.platform.invoke({}, { during: async (emit) => others.forEach((line) => emit.raw('extension', line)) });
    const { ledger, arrived } = await stand.finish();
    const records = arrived.filter(({ type }) => type === 'extension').map(({ record }) => JSON.stringify(record));
    assert.deepEqual(records.sort(), [...others].sort());
    assert.equal(ledger.received, others.length);
  });
}

/* Its own are many at the level debug, where forwarding them would make more of them without end. */
light('its own lines are passed over, and counted', {
  env: { TELEMETRY_TYPES: 'function,extension', TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_LOG_LEVEL: 'debug', TELEMETRY_METRICS: 'emf' }
}, async (stand) => {
  for (let i = 0; i < 3; i += 1) {
    await stand.log([`line ${i}`]);
  }
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual(arrived.map(({ record }) => record), ['line 0', 'line 1', 'line 2']);
  assert.ok(ledger.ownLines > 0, JSON.stringify(ledger));
});
