/*
 * Settings whose effect is seen at the stream.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { delay } from './support/faults.mjs';
import { jsonRecords } from './support/lines.mjs';
import { NAME } from './support/stand.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

scenario('KINESIS_STREAM_ARN instead of a name', { stream: 'by-arn', env: {
  KINESIS_STREAM_NAME: null, KINESIS_STREAM_ARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/by-arn'
} }, async (stand) => {
  const records = jsonRecords(100);
  await log(stand, records);
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
  assert.deepEqual([...stand.front.statistics.streams], ['arn:aws:kinesis:us-east-1:000000000000:stream/by-arn']);
});

/* Each answer comes later than a stream in the function's own region may take. */
for (const [where, region, retried] of [['another region', 'eu-west-1', false], ['its own region', 'us-east-1', true]]) {
  scenario(`a stream in ${where}, whose answers take 900 ms`, { stream: 'by-arn', env: {
    KINESIS_STREAM_NAME: null, KINESIS_STREAM_ARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/by-arn',
    AWS_REGION: region, TELEMETRY_CONNECT_TIMEOUT_MS: null, TELEMETRY_REQUEST_TIMEOUT_MS: null,
    TELEMETRY_FLUSH: 'end', TELEMETRY_FLUSH_BUDGET_MS: '20000'
  } }, async (stand) => {
    stand.front.fault = delay(900);
    await log(stand, jsonRecords(10));
    stand.front.fault = null;
    const { ledger, logs } = await finished(stand);
    assert.equal(ledger.delivered, 10);
    assert.equal(ledger.retried > 0, retried);
    const late = logs.filter((one) => /no reply in time \(TELEMETRY_REQUEST_TIMEOUT_MS\)$/.test(one.message));
    assert.equal(late.length > 0, retried);
  });
}

scenario('a stream name with every kind of character', { stream: 'Logs_of.my-function.2' }, async (stand) => {
  const records = jsonRecords(10);
  await log(stand, records);
  await allDelivered(stand, records.length);
});

scenario('AWS_ENDPOINT_URL serves when there is none for Kinesis', {
  env: (usual) => ({ AWS_ENDPOINT_URL_KINESIS: null, AWS_ENDPOINT_URL: usual.AWS_ENDPOINT_URL_KINESIS })
}, async (stand) => {
  const records = jsonRecords(10);
  await log(stand, records);
  await allDelivered(stand, records.length);
});

scenario('partition key random: one per record, over all shards', { shards: 8 }, async (stand) => {
  await log(stand, jsonRecords(400));
  const end = await allDelivered(stand, 400);
  assert.equal(new Set(end.records.map((one) => one.partitionKey)).size, 400);
  assert.equal(new Set(end.records.map((one) => one.shard)).size, 8);
});

const SANDBOX = { env: { TELEMETRY_PARTITION_KEY: 'sandbox' } };

scenario('partition key sandbox: one for the environment', SANDBOX, async (stand) => {
  for (let i = 0; i < 3; i += 1) {
    await log(stand, jsonRecords(20, 200, `round-${i}`));
  }
  const end = await allDelivered(stand, 60);
  assert.equal(new Set(end.records.map((one) => one.partitionKey)).size, 1);
});

scenario('partition key sandbox: another one for another environment', SANDBOX, async (stand, bench) => {
  const keys = new Set();
  for (const one of [stand, await bench.stand(SANDBOX)]) {
    await log(one, jsonRecords(5));
    (await allDelivered(one, 5)).records.forEach((record) => keys.add(record.partitionKey));
    await one.stop();
  }
  assert.equal(keys.size, 2);
});

for (const key of ['logs', 'say "hi" \\ / é 😀 \t', 'k'.repeat(256), 'é'.repeat(256)]) {
  const options = { env: { TELEMETRY_PARTITION_KEY: `fixed:${key}` } };
  scenario(`partition key fixed:${key.slice(0, 20)}`, options, async (stand) => {
    await log(stand, jsonRecords(20));
    const end = await allDelivered(stand, 20);
    assert.deepEqual([...new Set(end.records.map((one) => one.partitionKey))], [key]);
  });
}

/* Lines of all three types, with those of another extension beside our own. */
async function allTypes(stand) {
  for (let i = 0; i < 3; i += 1) {
    await stand.platform.invoke({}, { during: async (emit) => {
      emit('function', `function line ${i}`);
      emit('extension', `another extension's line ${i}`);
      emit('extension', { level: 'info', logger: 'another-extension', message: `its JSON line ${i}` });
    } });
  }
}

const TYPES = [['platform'], ['function'], ['extension'], ['platform', 'function', 'extension']];
for (const types of TYPES) {
  for (const logFormat of ['Text', 'JSON']) {
    scenario(`types ${types.join(',')}, log format ${logFormat}: forwarded and no other, our own lines never`, {
      platform: { logFormat },
      env: { TELEMETRY_TYPES: types.join(','), TELEMETRY_RECORD_FORMAT: 'event', TELEMETRY_LOG_LEVEL: 'debug' }
    }, async (stand) => {
      await allTypes(stand);
      const end = await finished(stand);
      const events = end.records.map((one) => JSON.parse(one.data));
      const kinds = new Set(events.map((one) => one.type.split('.')[0]));
      assert.deepEqual([...kinds].sort(), [...types].sort());
      assert.ok(stand.logs.length > 0, 'the extension logs at debug level');
      assert.ok(events.every((one) => one.type.startsWith('platform.') || !JSON.stringify(one).includes(NAME)));
      assertSame(expectedEvents(stand, types, events), data(end.records));
    });
  }
}

/*
 * The bytes of the events that had to arrive. Platform events of the very end are left to arrival:
 * what the platform says once the extension is gone cannot come.
 */
function expectedEvents(stand, types, events) {
  const arrived = new Set(events.map((one) => JSON.stringify(one)));
  return stand.platform.events.filter((event) => {
    if (!types.includes(event.category)) {
      return false;
    }
    const text = event.bytes.toString();
    if (event.category === 'platform') {
      return arrived.has(JSON.stringify(JSON.parse(text))) || /"platform\.(start|runtimeDone)"/.test(text);
    }
    return !text.includes(NAME);
  }).map((event) => event.bytes);
}

scenario('types platform in format message: the whole event, never {}', { env: { TELEMETRY_TYPES: 'platform' } },
  async (stand) => {
    await allTypes(stand);
    const end = await finished(stand);
    const starts = stand.platform.events.filter((one) => one.type === 'platform.start').map((one) => one.bytes);
    assertSame(starts, data(end.records).filter((one) => one.includes('"platform.start"')));
    assert.ok(end.records.every((one) => JSON.parse(one.data).type?.startsWith('platform.')));
  });

const LEVELS = ['error', 'warn', 'info', 'debug'];
for (const [index, level] of LEVELS.entries()) {
  const options = { env: { TELEMETRY_LOG_LEVEL: level } };
  scenario(`log level ${level}: nothing below it but the ledger`, options, async (stand) => {
    await log(stand, jsonRecords(10));
    const end = await finished(stand);
    const others = end.logs.filter((one) => one.message !== 'ledger');
    assert.ok(others.every((one) => LEVELS.indexOf(one.level) <= index && LEVELS.includes(one.level)));
    assert.ok(end.logs.every((one) => one.logger === NAME && !Number.isNaN(Date.parse(one.time))));
    assert.ok(level !== 'debug' || others.some((one) => one.level === 'debug'));
  });
}

scenario('a budget of 0: nothing is lost', { env: { TELEMETRY_FLUSH_BUDGET_MS: '0' } }, async (stand) => {
  const records = jsonRecords(300);
  for (let at = 0; at < records.length; at += 100) {
    await log(stand, records.slice(at, at + 100));
  }
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
});

scenario('a listener port in use: told, another one is taken', async () => {
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  other.unref();
  return { env: { TELEMETRY_LISTENER_PORT: String(other.address().port) } };
}, async (stand) => {
  await log(stand, jsonRecords(10));
  await allDelivered(stand, 10);
  assert.equal(stand.logsOf(['error', 'warn']).filter((one) => /port/.test(one.message)).length, 1);
});
