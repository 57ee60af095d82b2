/*
 * TELEMETRY_LEVEL, TELEMETRY_FILTER, TELEMETRY_SAMPLE_RATE, TELEMETRY_LEVEL_ON_ERROR, TELEMETRY_REDACT: what is sent at
 * all, and that what is not is counted. The ways in which an invocation fails are those that the platform has.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as faults from './support/faults.mjs';
import { light } from './support/light.mjs';

const EVENT = { TELEMETRY_RECORD_FORMAT: 'event' };
const DETAIL = { ...EVENT, TELEMETRY_LEVEL: 'WARN', TELEMETRY_LEVEL_ON_ERROR: 'DEBUG' };
/* Where no end is heard, none is waited for. */
const UNHELD = { TELEMETRY_FLUSH: 'continuous' };
const ENRICHED = { ...DETAIL, TELEMETRY_RECORD_FORMAT: 'enriched' };

const line = (level, text) => `2026-11-20T10:00:00.000Z\t459921b5-681c-4a96-beb0-81e0aa586026\t${level}\t${text}`;
const logging = (...lines) => ({ during: async (emit) => lines.forEach((one) => emit('function', one)) });
const records = (end) => end.arrived.map(({ record }) => record);
const filtered = ({ ledger }) => {
  const { level, pattern, sample, held, total } = ledger.filtered;
  assert.equal(total, level + pattern + sample + held);
  return { level, pattern, sample, held };
};
const NONE = { level: 0, pattern: 0, sample: 0, held: 0 };

light('a level: what is below it is not sent, what has none is', { env: { ...EVENT, TELEMETRY_LEVEL: 'warn' } },
  async (stand) => {
    await stand.platform.invoke({}, logging(line('INFO', 'a'), line('WARN', 'b'), { level: 'debug', message: 'c' },
      { level: 50, msg: 'd' }, 'Task timed out', '[DEBUG]\te'));
    const end = await stand.finish();
    assert.deepEqual(records(end), [line('WARN', 'b'), { level: 50, msg: 'd' }, 'Task timed out']);
    assert.deepEqual(filtered(end), { ...NONE, level: 3 });
    assert.deepEqual(end.ledger.received, 6);
  });

light('a pattern: what CloudWatch Logs would not have sent is not', {
  env: { ...EVENT, TELEMETRY_FILTER: '{ $.level = "ERROR" || $.ms > 500 }' }
}, async (stand) => {
  const [error, slow, fast] = [{ level: 'ERROR' }, { level: 'INFO', ms: 501 }, { level: 'INFO', ms: 500 }];
  await stand.platform.invoke({}, logging(error, slow, fast, 'text'));
  const end = await stand.finish();
  assert.deepEqual(records(end), [error, slow]);
  assert.deepEqual(filtered(end), { ...NONE, pattern: 2 });
});

light('a pattern that is wrong: told where, and everything is sent', { env: { ...EVENT, TELEMETRY_FILTER: '%ERROR%' } },
  async (stand) => {
    await stand.platform.invoke({}, logging('a'));
    const end = await stand.finish();
    assert.deepEqual(records(end), ['a']);
    assert.equal(stand.complaints.filter((one) => /TELEMETRY_FILTER.*column 1: regular expressions/.test(one)).length, 1);
  });

light('a sample: by the trace, whoever has part in it', { env: { ...EVENT, TELEMETRY_SAMPLE_RATE: '0.5' } },
  async (stand) => {
    const sent = [];
    for (let n = 0; n < 40; n += 1) {
      const root = `1-00000000-${String(n).padStart(24, '0')}`;
      const sampled = n % 4 === 0;
      await stand.platform.invoke({},
        { ...logging(`line ${n}`), traceId: `Root=${root};Parent=0000000000000000;Sampled=${sampled ? 1 : 0}` });
      if (sampled || createHash('sha256').update(root).digest().readUInt32BE() < 2 ** 31) {
        sent.push(`line ${n}`);
      }
    }
    const end = await stand.finish();
    assert.deepEqual(records(end), sent);
    assert.deepEqual(filtered(end), { ...NONE, sample: 40 - sent.length });
    assert.ok(sent.length > 15 && sent.length < 40);
  });

const LINES = [line('DEBUG', '1'), line('TRACE', '2'), line('WARN', '3'), line('INFO', '4')];
const WHOLE = [LINES[2], LINES[0], LINES[3]];

light('detail on error: all is well, so nothing is sent but warnings', { env: DETAIL }, async (stand) => {
  for (let n = 0; n < 3; n += 1) {
    await stand.platform.invoke({}, logging(...LINES));
  }
  const end = await stand.finish();
  assert.deepEqual(records(end), [LINES[2], LINES[2], LINES[2]]);
  assert.deepEqual(filtered(end), { ...NONE, level: 3, held: 6 });
});

light('detail on error: a line at ERROR', { env: DETAIL }, async (stand) => {
  await stand.platform.invoke({}, logging(...LINES, line('ERROR', '5'), line('DEBUG', '6')));
  const end = await stand.finish();
  assert.deepEqual(records(end), [...WHOLE, line('ERROR', '5'), line('DEBUG', '6')]);
  assert.deepEqual(filtered(end), { ...NONE, level: 1 });
});

for (const ends of ['error', 'timeout', 'crash', 'outOfMemory', 'failure']) {
  light(`detail on error: the function ends by ${ends}; with the times and numbers of its lines`,
    { env: ENRICHED, platform: { timeoutMs: 1_500 } }, async (stand) => {
      await stand.platform.invoke({}, logging(line('DEBUG', 'before')));
      const { requestId } = await stand.platform.invoke({}, { ...logging(...LINES), ends });
      const end = await stand.finish();
      const lines = end.arrived.filter(({ record }) => LINES.includes(record));
      assert.deepEqual(lines.map(({ record }) => record), WHOLE);
      assert.deepEqual(lines.map((one) => one.requestId), [requestId, requestId, requestId]);
      assert.deepEqual(lines.map((one) => one.seq), [0, 1, 2]);
      assert.ok(lines[1].time <= lines[0].time);
    });
}

light('detail on error: its end is not heard before the next start', { env: { ...ENRICHED, ...UNHELD } }, async (stand) => {
  const { requestId } = await stand.platform.invoke({}, { ...logging(...LINES), runtimeDone: false, report: false });
  await stand.platform.invoke({}, logging(LINES[0]));
  const end = await stand.finish();
  assert.deepEqual(records(end), WHOLE);
  assert.deepEqual(end.arrived.map((one) => one.requestId), [requestId, requestId, requestId]);
  assert.deepEqual(filtered(end), { ...NONE, level: 1, held: 1 });
});

light('detail on error: its end is not heard before SHUTDOWN', { env: { ...DETAIL, ...UNHELD } }, async (stand) => {
  await stand.platform.invoke({}, { ...logging(...LINES), runtimeDone: false, report: false });
  const end = await stand.finish();
  assert.deepEqual(records(end), WHOLE);
  assert.deepEqual(filtered(end), { ...NONE, level: 1 });
});

light('detail on error: more than has room, the oldest make it', {
  env: { ...DETAIL, TELEMETRY_HELD_MAX_BYTES: '4096' }
}, async (stand) => {
  const lines = Array.from({ length: 100 }, (_, n) => line('INFO', `line ${n}`.padEnd(80, '.')));
  await stand.platform.invoke({}, { ...logging(...lines), ends: 'error' });
  const end = await stand.finish();
  const { held } = filtered(end);
  assert.ok(held > 50 && held < 100);
  assert.deepEqual(records(end), lines.slice(held));
});

light('detail on error, where the queue is smaller than what was held: nothing is lost', {
  env: { ...DETAIL, TELEMETRY_HELD_MAX_BYTES: '1048576', TELEMETRY_QUEUE_MAX_BYTES: '65536' }
}, async (stand) => {
  const lines = Array.from({ length: 2_000 }, (_, n) => line('INFO', `line ${n}`.padEnd(80, '.')));
  await stand.platform.invoke({}, { ...logging(...lines), ends: 'error' });
  const end = await stand.finish();
  assert.deepEqual(records(end), lines);
  assert.deepEqual(filtered(end), NONE);
});

light('detail on error, on Managed Instances: each of its own', { env: DETAIL, platform: { managedInstances: true } },
  async (stand) => {
    const said = (requestId, level, text) => ({ level, requestId, message: text });
    const ids = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    await Promise.all(ids.map((requestId, n) => stand.platform.invoke({}, {
      requestId,
      during: async (emit) => {
        emit('function', said(requestId, 'DEBUG', 'a'));
        emit('function', said(requestId, n === 1 ? 'ERROR' : 'INFO', 'b'));
      },
      ...n === 2 ? { ends: 'error' } : {}
    })));
    const end = await stand.finish();
    const of = (id) => records(end).filter(({ requestId }) => requestId === id).map(({ message }) => message);
    assert.deepEqual(ids.map(of), [[], ['a', 'b'], ['a', 'b']]);
    assert.deepEqual(filtered(end), { ...NONE, held: 2 });
  });

/* Secrets of each kind, and documents with them in all places where they are looked for. */
const SECRETS = ['hunter2', 'say "hunter2"\n\\hunter2\u0000\u00e4\u{1f511}', 7741077, -7741077e-9, ['hunter2', [7741077], {}],
  { hunter2: { 'a b': 'hunter2' } }, JSON.stringify({ a: 'hunter2' })];
const body = (value) => ({ a: [{ password: value }], 'X-Auth-Token': { of: value }, b: [null, 1.5, 'c', {}] });
const hidden = { a: [{ password: '***' }], 'X-Auth-Token': '***', b: [null, 1.5, 'c', {}] };
const shapes = (value) => [
  value, { level: 'ERROR', message: value }, JSON.stringify(value), { message: JSON.stringify(value) }, [[value], value],
  line('INFO', JSON.stringify(value)), { body: JSON.stringify({ body: JSON.stringify(value) }) }
];
/* And what is no JSON. */
const PIECES = ['{"password":"hunter2', 'it is {"a":"1"x","password":"hunter2","b":"2"z"}', '"token": hunter2, and 7741077',
  '{"a":{"token":["hunter2",', 'an inch is 1", {"password" : "hunter2"}',
  ...SECRETS.map((one) => `${JSON.stringify(body(one), null, 2)}\n`)];
const TOLD = [...SECRETS.flatMap((one) => shapes(body(one))), ...PIECES];
const REDACT = { TELEMETRY_REDACT: 'password, *token', TELEMETRY_LOG_LEVEL: 'debug' };

/* Of whatever was sent or printed what has a part of one. */
const shows = (stand) => [
  ...stand.arrived.map(({ data }) => data), ...stand.platform.lines.map(({ line: text }) => text)
].map(String).find((one) => ['unter', '74107'].some((part) => one.includes(part)))?.slice(0, 200);

for (const format of ['message', 'event', 'enriched']) {
  light(`no secrets in ${format}: the same documents but for these`, {
    env: { ...REDACT, TELEMETRY_RECORD_FORMAT: format }
  }, async (stand) => {
    await stand.platform.invoke({}, logging(...TOLD));
    const end = await stand.finish();
    const want = SECRETS.flatMap(() => shapes(hidden)).map((one) => format === 'message' ? one.message ?? one : one);
    assert.equal(shows(stand), undefined);
    assert.equal(end.arrived.length, TOLD.length);
    assert.deepEqual((format === 'message' ? end.arrived : records(end)).slice(0, want.length), want);
  });
}

light('no secrets in dead letters', { env: { ...REDACT, TELEMETRY_DEAD_LETTER: 'stderr' } }, async (stand) => {
  stand.front.fault = faults.refuse(400, 'ResourceNotFoundException');
  await stand.platform.invoke({}, logging(...TOLD));
  const { ledger } = await stand.finish();
  assert.equal(ledger.deadLettered, TOLD.length);
  assert.ok(stand.platform.lines.some((one) => String(one.line).includes('***')));
  assert.equal(shows(stand), undefined);
});

light('no secrets in lines that were held', { env: { ...DETAIL, ...REDACT } }, async (stand) => {
  await stand.platform.invoke({}, { ...logging(...TOLD.map((one) => line('INFO', JSON.stringify(one)))), ends: 'error' });
  const end = await stand.finish();
  assert.equal(end.arrived.length, TOLD.length);
  assert.equal(shows(stand), undefined);
});

light('no secrets in what cannot be sent as it is', { env: { ...REDACT, TELEMETRY_OVERSIZE: 'truncate' } }, async (stand) => {
  const long = 'x'.repeat(300000);
  await stand.platform.invoke({}, logging({ a: long, password: `hunter2${long}` }, { token: 'hunter2', a: long.repeat(3) }));
  await stand.finish();
  assert.ok(stand.arrived.length > 0);
  assert.equal(shows(stand), undefined);
});

light('enriched: the trace, the tenant, the level', {
  env: { TELEMETRY_RECORD_FORMAT: 'enriched', TELEMETRY_TYPES: 'platform,function' }, platform: { tenantId: 'blue' }
}, async (stand) => {
  const trace = (root) => ({ traceId: `Root=${root};Parent=0000000000000000;Sampled=0` });
  await stand.platform.invoke({}, { ...logging('a', line('WARN', 'b')), ...trace('1-a') });
  await stand.platform.invoke({}, { ...logging({ severity: 'error' }), ...trace('1-b') });
  const { arrived } = await stand.finish();
  assert.deepEqual(arrived.filter(({ type }) => type === 'function').map((one) => [one.traceId, one.tenantId, one.level]),
    [['1-a', 'blue', undefined], ['1-a', 'blue', 'WARN'], ['1-b', 'blue', 'ERROR']]);
  assert.deepEqual(arrived.filter(({ type }) => type === 'platform.report').map((one) => [one.traceId, one.level]),
    [['1-a', undefined], ['1-b', undefined]]);
});

/* Two processes of the extension, each with a ledger of its own. */
let inits = 0;
light('detail on error: init fails, and is tried again', {
  env: DETAIL, platform: {
    initRetry: true,
    duringInit: async (emit, journal) => {
      LINES.forEach((one) => emit('function', one));
      inits += 1;
      if (inits === 1) {
        await journal.until(() => journal.calls.some(({ name }) => name === 'next'), 20_000);
        throw Object.assign(new Error('init fails'), { errorType: 'Runtime.ExitError' });
      }
    }
  }
}, async (stand) => {
  await stand.platform.invoke({}, logging(LINES[0]));
  await stand.platform.shutdown();
  assert.deepEqual(stand.arrived.map(({ data }) => JSON.parse(data).record), [...WHOLE, LINES[2]]);
  const ledgers = stand.logs.filter((one) => one.message === 'ledger');
  assert.deepEqual(ledgers.map((ledger) => filtered({ ledger })),
    [{ ...NONE, level: 1 }, { ...NONE, level: 1, held: 3 }]);
});

/* What init logs belongs to no invocation, and to no copy: it is decided before the snapshot. */
light('detail on error, with SnapStart: of an init that is well nothing, of the copy what failed', {
  env: DETAIL, platform: {
    snapStart: true, initDoneFirst: true, duringInit: async (emit) => LINES.forEach((one) => emit('function', one))
  }
}, async (stand) => {
  assert.deepEqual(stand.arrived.map(({ data }) => JSON.parse(data).record), [LINES[2]]);
  await stand.platform.invoke({}, logging(...LINES));
  await stand.platform.invoke({}, { ...logging(...LINES), ends: 'error' });
  const end = await stand.finish();
  assert.deepEqual(records(end), [LINES[2], LINES[2], ...WHOLE]);
  assert.deepEqual(filtered(end), { ...NONE, level: 2, held: 2 });
  const [ofInit] = end.logs.filter((one) => one.message === 'ledger of init');
  assert.deepEqual(filtered({ ledger: ofInit }), { ...NONE, level: 1, held: 2 });
});
