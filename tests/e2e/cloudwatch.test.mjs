/*
 * TELEMETRY_RECORD_FORMAT=cloudwatch: what a subscription filter would have put into the stream, to those who read
 * that.
 */
import assert from 'node:assert/strict';
import * as faults from './support/faults.mjs';
import { asMessage } from './support/forms.mjs';
import { jsonRecords, loggableRecords, longLine, textRecords } from './support/lines.mjs';
import { idFaults, messagesOf } from './support/log_events.mjs';
import { READERS } from './support/readers.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

const CLOUDWATCH = { TELEMETRY_RECORD_FORMAT: 'cloudwatch' };
const ALL = { ...CLOUDWATCH, TELEMETRY_TYPES: 'platform,function' };

const mixed = [...jsonRecords(500), ...textRecords(480, 90), ...loggableRecords.map(([, record]) => record),
  longLine(64 * 1024, 'long'), longLine(250 * 1024, 'longer')];

const eventsOf = (records) => READERS[0].read(data(records));
const byId = (events) => events.map((one) => [one.id, one]).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));

/* Of what came once. */
function checkIds(messages) {
  const all = messages.flatMap(({ logEvents }) => logEvents.map(({ id }) => id));
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(idFaults(messages), []);
}

scenario('published readers find each event once, with its line and its time', { env: CLOUDWATCH }, async (stand) => {
  for (let i = 0; i < 4; i += 1) {
    await log(stand, mixed.slice(i * 250, (i + 1) * 250));
  }
  await log(stand, mixed.slice(1_000));
  const { records } = await allDelivered(stand, mixed.length);
  const logged = stand.platform.events.filter((one) => one.category === 'function');
  const messages = messagesOf(data(records));
  checkIds(messages);
  for (const { logEvents: _, ...names } of messages) {
    assert.deepEqual(names, {
      messageType: 'DATA_MESSAGE', owner: '123456789012', logGroup: '/aws/lambda/local-function',
      logStream: stand.platform.events.find((one) => one.type === 'platform.initStart').record.instanceId,
      subscriptionFilters: ['kinesis-telemetry-api-extension']
    });
  }
  const times = logged.map((one) => Date.parse(one.time)).sort();
  let first;
  for (const { name, read, skip } of READERS) {
    if (skip) {
      console.warn(`${name}: ${skip}`);
      continue;
    }
    const events = byId(await read(data(records)));
    assert.equal(events.length, mixed.length, name);
    assertSame(logged.map((one) => asMessage(one.bytes.toString())), events.map(([, { message }]) => message));
    assert.deepEqual(events.map(([, one]) => one.timestamp).sort(), times, name);
    first ??= events;
    assert.deepEqual(events, first, name);
  }
});

scenario('what comes twice has the id that it had', { env: CLOUDWATCH }, async (stand) => {
  const partly = faults.failRecords(0.3);
  let calls = 0;
  stand.front.fault = (exchange) => {
    calls += 1;
    return calls % 4 === 2 ? faults.close('before', { how: 'reset', accepted: true })(exchange) : partly(exchange);
  };
  for (let i = 0; i < 10; i += 1) {
    await log(stand, jsonRecords(100, 200, `i${i}`));
  }
  stand.front.fault = null;
  const { records, ledger } = await allDelivered(stand, 1_000);
  const events = eventsOf(records);
  const unique = new Map(events.map((one) => [one.id, one]));
  assert.equal(unique.size, 1_000);
  assert.ok(events.length > 1_000 && events.length - 1_000 <= ledger.duplicatesPossible);
  for (const one of events) {
    assert.deepEqual(one, unique.get(one.id));
  }
});

scenario('a log group that is told',
  { env: { ...CLOUDWATCH, TELEMETRY_LOG_GROUP: 'my/group' } }, async (stand) => {
    await log(stand, textRecords(3));
    const { records } = await allDelivered(stand, 3);
    assert.deepEqual(messagesOf(data(records)).map(({ logGroup }) => logGroup), ['my/group']);
  });

/* --- what the platform tells --- */

/* As a person reads it: what differs from run to run is left out. */
function asRead(events) {
  return events.map(({ message }) => message
    .replace(/[\da-f]{8}-[\da-f-]{27}/gu, 'ID').replace(/\d+\.\d\d ms/gu, 'N.NN ms').replace(/\d+ ms/gu, 'N ms')
    .replace(/1-[\da-f]{8}-[\da-f]{24}/u, 'TRACE').replace(/SegmentId: [\da-f]{16}/u, 'SegmentId: SEGMENT'));
}

/* Those of the invocations, in the order of the ids. */
function invocations(records) {
  const read = asRead(byId(eventsOf(records)).map(([, one]) => one));
  return read.slice(read.findIndex((line) => line.startsWith('START')));
}

const START = 'START RequestId: ID Version: $LATEST\n';
const END = 'END RequestId: ID\n';
const report = (more = '') => 'REPORT RequestId: ID\tDuration: N.NN ms\tBilled Duration: N ms\tMemory Size: 256 MB\t' +
  `Max Memory Used: 64 MB\t${more}\n`;
const COLD = 'Init Duration: N.NN ms\t';

const WAYS = [
  ['success', {}, [START, 'a line\n', END, report(COLD)]],
  ['an error', { ends: 'error' }, [START, 'a line\n', END, report(`${COLD}Status: error\tError Type: Function.Unhandled`)]],
  ['a time-out', { ends: 'timeout', timeoutMs: 1_000 }, [START, 'a line\n', END, report(`${COLD}Status: timeout`)]],
  ['a crash', { ends: 'crash' }, [START, 'a line\n', END, report(`${COLD}Status: error\tError Type: Runtime.ExitError`)]]
];

for (const [name, { timeoutMs = 30_000, ...options }, want] of WAYS) {
  scenario(`text: an invocation, its end: ${name}`, { env: ALL, platform: { timeoutMs, tracing: false } }, async (stand) => {
    await stand.platform.invoke({}, { ...options, during: async (emit) => emit('function', 'a line') });
    const { records } = await finished(stand);
    assert.deepEqual(invocations(records), want);
    checkIds(messagesOf(data(records)));
  });
}

scenario('text: an invocation that is traced', { env: ALL }, async (stand) => {
  const traceId = 'Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1';
  await stand.platform.invoke({}, { traceId, during: async (emit) => emit('function', 'a line') });
  const { records } = await finished(stand);
  assert.deepEqual(invocations(records), [START, 'a line\n', END,
    `${report(COLD)}XRAY TraceId: TRACE\tSegmentId: SEGMENT\tSampled: true\t\n`]);
});

scenario('text: an invocation that a snapshot is restored for, whose stream is another one',
  { env: ALL, platform: { snapStart: true } }, async (stand) => {
    await log(stand, textRecords(1, 10));
    const { records } = await finished(stand);
    const messages = messagesOf(data(records));
    const own = messages.filter(({ logEvents }) => logEvents.some(({ message }) => /^(RESTORE|START|END|REPORT)/u.test(message)));
    const lines = asRead(byId(own.flatMap(({ logEvents }) => logEvents)).map(([, one]) => one));
    assert.deepEqual(lines, ['RESTORE_START Runtime Version: local\n', 'RESTORE_REPORT Restore Duration: N.NN ms\n', START,
      lines[3], END, report('Restore Duration: N.NN ms\t')]);
    const { record } = stand.platform.events.find((one) => one.type === 'platform.restoreStart');
    assert.deepEqual(new Set(own.map(({ logStream }) => logStream)), new Set([record.instanceId]));
    checkIds(messages);
  });

scenario('text: init, two invocations, and what is counted', { env: ALL }, async (stand) => {
  await log(stand, textRecords(2, 10));
  await log(stand, textRecords(1, 10));
  const { records, ledger } = await finished(stand);
  const read = asRead(byId(eventsOf(records)).map(([, one]) => one));
  assert.deepEqual(read.slice(0, 2), ['INIT_START Runtime Version: local\n',
    'TELEMETRY\tName: kinesis-telemetry-api-extension\tState: Subscribed\tTypes: [Platform, Function]\n']);
  assert.ok(read.includes('EXTENSION\tName: kinesis-telemetry-api-extension\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n'));
  assert.equal(read.filter((line) => line === END).length, 2);
  /* END is no event of the platform's */
  assert.equal(ledger.delivered, read.length - 2);
  assert.equal(ledger.received, ledger.delivered);
});

for (const level of ['DEBUG', 'INFO', 'WARN']) {
  scenario(`JSON: events from level ${level} on`,
    { env: { ...ALL, TELEMETRY_SYSTEM_LEVEL: level, AWS_LAMBDA_LOG_FORMAT: 'JSON' }, platform: { logFormat: 'JSON' } },
    async (stand) => {
      await log(stand, jsonRecords(1));
      const { records } = await finished(stand);
      const types = eventsOf(records).map(({ message }) => JSON.parse(message).type).filter(Boolean);
      const some = { DEBUG: ['platform.initReport', 'platform.runtimeDone', 'platform.initRuntimeDone'],
        INFO: ['platform.start', 'platform.report', 'platform.initStart', 'platform.extension'], WARN: [] };
      const wanted = level === 'DEBUG' ? [...some.DEBUG, ...some.INFO] : some[level];
      assert.deepEqual([...new Set(types)].filter((type) => type !== 'platform.telemetrySubscription').sort(), wanted.sort());
    });
}
