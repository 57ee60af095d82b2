/*
 * Everything that a function logs arrives, once, as it was.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from '../platform/platform.mjs';
import { removeFolder } from './support/folder.mjs';
import { extensionsFolder, freePort } from './support/stand.mjs';
import { compare, assertSame } from './support/tally.mjs';
import { jsonRecords, longLine, oddRecords, textRecords } from './support/lines.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';

const { scenario } = useBench();

const EVENT = { env: { TELEMETRY_RECORD_FORMAT: 'event' } };
const MANY = { shards: 48, env: { TELEMETRY_QUEUE_MAX_BYTES: String(16 * 1024 * 1024) } };

/* The platform may answer within microseconds; whatever the order, the subscription has to follow. */
test('every start subscribes before it asks for an event', { timeout: 60_000 }, async () => {
  const extensions = await extensionsFolder();
  for (let i = 0; i < 100; i += 1) {
    const platform = await Platform.start({
      extensions,
      env: { AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:1', TELEMETRY_LISTENER_PORT: String(await freePort()) }
    });
    const calls = platform.calls.map((call) => call.name);
    await platform.kill();
    assert.deepEqual(calls.slice(0, 3), ['register', 'subscribe', 'next'], `start ${i + 1}`);
  }
  removeFolder(extensions);
});

const kinds = [['JSON events of 200 bytes', jsonRecords(10_000)], ['text lines', textRecords(10_000)]];
for (const [what, records] of kinds) {
  scenario(`10,000 ${what} in one invocation`, MANY, async (stand) => {
    await log(stand, records);
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
  });
}

scenario('10,000 JSON events over 20 invocations', MANY, async (stand) => {
  const records = jsonRecords(10_000);
  for (let at = 0; at < records.length; at += 500) {
    await log(stand, records.slice(at, at + 500));
  }
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
});

scenario('format event: every kind of record is verbatim', EVENT, async (stand) => {
  await log(stand, oddRecords.map(([, record]) => record));
  const end = await allDelivered(stand, oddRecords.length);
  assertSame(stand.eventBytes('function'), data(end.records));
});

for (const [size, count] of [[64 * 1024, 20], [250 * 1024, 8]]) {
  scenario(`format event: single lines of ${size / 1024} KB`, EVENT, async (stand) => {
    await log(stand, Array.from({ length: count }, (_, i) => longLine(size, `long-${i}`)));
    const end = await allDelivered(stand, count);
    assertSame(stand.eventBytes('function'), data(end.records));
    assert.ok(end.records.every((one) => one.data.length > size));
  });
}

scenario('format message: single lines of 64 KB and 250 KB', {}, async (stand) => {
  const lines = [64, 250, 64, 250].map((size, i) => longLine(size * 1024, `long-${i}`));
  await log(stand, lines);
  const end = await allDelivered(stand, lines.length);
  assertSame(lines, data(end.records));
});

scenario('format event: many odd records among 5,000 ordinary ones', { ...EVENT, shards: 32 }, async (stand) => {
  const ordinary = textRecords(5_000, 60).map((one) => Buffer.from(one.record));
  const mixed = ordinary.flatMap((one, i) => (i % 50 === 0 ? [one, oddRecords[i / 50 % oddRecords.length][1]] : [one]));
  await log(stand, mixed);
  const end = await allDelivered(stand, mixed.length);
  assertSame(stand.eventBytes('function'), data(end.records));
});

/* What format `message` makes of a record: the value of its message, whatever it is; else all of it. */
const messages = [
  ['string message', '{"level":"INFO","message":"hello"}', '"hello"'],
  ['object message', '{"level":"INFO","message":{"id":1,"b":[true,null]}}', '{"id":1,"b":[true,null]}'],
  ['array message', '{"message":["a",{"message":"inner"}],"z":1}', '["a",{"message":"inner"}]'],
  ['number message', '{"message":-0.5e3}', '-0.5e3'],
  ['false message', '{"message":false}', 'false'],
  ['empty message', '{"message":""}', '""'],
  ['escapes in the message', String.raw`{"message":"\u00e9 \"x\" \\ \/ 😀\n"}`,
    String.raw`"\u00e9 \"x\" \\ \/ 😀\n"`],
  ['blanks around', '{ "message" : "a" , "b" : 1 }', '"a"'],
  ['message last', '{"a":{"message":"no"},"b":"message","message":"yes"}', '"yes"'],
  ['no message', '{"level":"INFO","msg":"x"}', '{"level":"INFO","msg":"x"}'],
  ['only an inner message', '{"a":{"message":"x"}}', '{"a":{"message":"x"}}'],
  ['a name that only begins so', '{"messages":"x","Message":"y"}', '{"messages":"x","Message":"y"}'],
  ['empty object', '{}', '{}'],
  ['array', '["message","x"]', '["message","x"]'],
  ['number', '42', '42'],
  ['true', 'true', 'true'],
  ['text', '"plain"', '"plain"'],
  ['text with a newline', String.raw`"plain\n"`, '"plain"'],
  ['text with two newlines', String.raw`"plain\n\n"`, String.raw`"plain\n"`],
  ['text of a newline', String.raw`"\n"`, '""'],
  ['text that ends in backslash and n', String.raw`"plain\\n"`, String.raw`"plain\\n"`],
  ['text that ends in backslash and newline', String.raw`"plain\\\n"`, String.raw`"plain\\"`]
];

scenario('format message: what becomes of each kind of record', {}, async (stand) => {
  await log(stand, messages.map(([, record]) => record));
  const end = await finished(stand);
  const { lost, foreign } = compare(messages.map(([, , want]) => want), data(end.records));
  assert.deepEqual({ lost: lost.map(String), foreign: foreign.map(String) }, { lost: [], foreign: [] });
  assert.equal(end.records.length, messages.length);
});

scenario('telemetry outside of an invocation: after init and between two', EVENT, async (stand) => {
  for (let round = 0; round < 3; round += 1) {
    for (const { record } of textRecords(100, 50, { prefix: `idle-${round}` })) {
      stand.platform.emitRaw('function', record);
    }
    await log(stand, textRecords(10, 50, { prefix: `busy-${round}` }));
  }
  textRecords(100, 50, { prefix: 'last' }).forEach(({ record }) => stand.platform.emitRaw('function', record));
  const end = await allDelivered(stand, 430);
  assertSame(stand.eventBytes('function'), data(end.records));
});

scenario('a POST in the chunked coding', { ...EVENT, platform: { deliver: { chunked: true } } }, async (stand) => {
  await log(stand, [...textRecords(1_000).map((one) => one.record), longLine(250 * 1024, 'long')]);
  const end = await allDelivered(stand, 1_001);
  assertSame(stand.eventBytes('function'), data(end.records));
});

for (const flush of ['end', 'continuous', 'adaptive']) {
  scenario(`flush policy ${flush}`, { env: { TELEMETRY_FLUSH: flush } }, async (stand) => {
    const records = jsonRecords(1_000);
    for (let at = 0; at < records.length; at += 100) {
      await log(stand, records.slice(at, at + 100));
    }
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
  });
}

scenario('Managed Instances: no INVOKE, several invocations at once',
  { platform: { managedInstances: true } }, async (stand) => {
    const records = jsonRecords(1_000);
    await Promise.all([0, 1, 2, 3].map((part) =>
      log(stand, records.slice(part * 250, part * 250 + 250))));
    const end = await allDelivered(stand, records.length);
    assertSame(data(records), data(end.records));
  });

scenario('frozen between invocations', { platform: { freeze: true } }, async (stand) => {
  const records = jsonRecords(500);
  for (let at = 0; at < records.length; at += 100) {
    await log(stand, records.slice(at, at + 100));
  }
  const end = await allDelivered(stand, records.length);
  assertSame(data(records), data(end.records));
});
