// The Telemetry API of the platform and its deliveries: section 2 of the reference.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeBatch } from './batches.mjs';
import { TelemetryEvent, lineRecord } from './events.mjs';
import { splitLines } from './processes.mjs';
import { settingsFrom } from './settings.mjs';
import { readSubscription } from './subscription.mjs';
import { EXAMPLES, bodies, did, flushed, received, release, script, start, untilReceived } from './fakes/harness.mjs';

const DROP = { deliver: { busy: 'drop' } }; // the platform's own default
const SLOW = { timeoutMs: 30000 }; // nothing is sent because of time

function subscription(change = {}) {
  const whole = {
    schemaVersion: '2025-01-29',
    types: ['function'],
    destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:4243/x' },
    ...change
  };
  return Buffer.from(JSON.stringify(whole));
}

const http = (URI) => ({ destination: { protocol: 'HTTP', URI } });

const refused = [
  ['no JSON', Buffer.from('{'), /failed to parse JSON/],
  ['no object', Buffer.from('null'), /must be a JSON object/],
  ['no schema', subscription({ schemaVersion: undefined }), /schemaVersion/],
  ['unknown schema', subscription({ schemaVersion: '2024-01-01' }), /schemaVersion/],
  ['no types', subscription({ types: [] }), /types should not be empty/],
  ['unknown type', subscription({ types: ['function', 'logs'] }), /unknown type "logs"/],
  ['few items', subscription({ buffering: { maxItems: 999 } }), /maxItems must be between 1000 and 10000/],
  ['many items', subscription({ buffering: { maxItems: 10001 } }), /maxItems/],
  ['few bytes', subscription({ buffering: { maxBytes: 262143 } }), /maxBytes/],
  ['many bytes', subscription({ buffering: { maxBytes: 1048577 } }), /maxBytes/],
  ['short time', subscription({ buffering: { timeoutMs: 24 } }), /timeoutMs/],
  ['long time', subscription({ buffering: { timeoutMs: 30001 } }), /timeoutMs/],
  ['not a number', subscription({ buffering: { timeoutMs: '25' } }), /timeoutMs/],
  ['no destination', subscription({ destination: undefined }), /protocol must be HTTP or TCP/],
  ['no port', subscription(http('http://sandbox.localdomain/')), /URI port is not provided/],
  ['reserved port', subscription(http('http://sandbox.localdomain:9001/')), /reserved/],
  ['other host', subscription(http('http://127.0.0.1:4243/')), /host must be sandbox.localdomain/],
  ['TLS', subscription(http('https://sandbox.localdomain:4243/')), /must be http/],
  ['no URI', subscription(http(undefined)), /not a URI/],
  ['TCP port 0', subscription({ destination: { protocol: 'TCP', port: 0 } }), /port must be between/],
  ['TCP with URI', subscription({ destination: { protocol: 'TCP', port: 1, URI: 'x' } }), /not allowed with TCP/]
];

for (const [name, body, problem] of refused) {
  test(`subscription refused: ${name}`, () => assert.match(readSubscription(body, false).problems.join('; '), problem));
}

test('subscription: what is left out has its default, port 80 is a port', () => {
  const read = readSubscription(
    subscription({ buffering: { maxItems: 1000 }, ...http('http://sandbox:80/a?b') }),
    false
  );
  assert.deepEqual(read.buffering, { maxItems: 1000, maxBytes: 262144, timeoutMs: 1000 });
  assert.deepEqual(read.destination, { protocol: 'HTTP', port: 80, path: '/a?b' });
});

test('subscription: Managed Instances take the newest schema only', () => {
  assert.match(
    readSubscription(subscription({ schemaVersion: '2022-12-13' }), true).problems[0],
    /must be one of 2025-01-29$/
  );
  assert.equal(readSubscription(subscription(), true).schemaVersion, '2025-01-29');
});

const items = (...texts) => texts.map((text) => ({ bytes: Buffer.from(`R${text}`), recordStart: 1 }));

test('batches: full by items, full by bytes, the rest stays', () => {
  const byItems = items('a', 'b', 'c');
  assert.equal(takeBatch(byItems, { maxItems: 2, maxBytes: 100 }, false).body.toString(), '[Ra,Rb]');
  assert.equal(takeBatch(byItems, { maxItems: 2, maxBytes: 100 }, false).body.toString(), '[Rc]');
  const byBytes = items('aaaa', 'bbbb', 'cccc');
  const batch = takeBatch(byBytes, { maxItems: 100, maxBytes: 6 }, false);
  assert.deepEqual(
    [batch.body.toString(), batch.items.length, batch.bytes, byBytes.length],
    ['[Raaaa,Rbbbb]', 2, 10, 1]
  );
});

test('batches: a long record is cut, its envelope repeated behind a quote', () => {
  const pending = items('a', '0123456789', 'z');
  const take = () => takeBatch(pending, { maxItems: 100, maxBytes: 4 }, true);
  assert.deepEqual(
    [take(), take(), take()].map(({ body }) => body.toString()),
    ['[Ra,R0123', '[R"456', '[R"789]']
  );
  assert.equal(take().body.toString(), '[Rz]');
  assert.equal(pending.length, 0);
});

test('lines are cut at newlines, wherever the chunks end, and at the limit', async () => {
  const cut = async (text, chunkBytes, maxLineBytes) => {
    const lines = [];
    const stream = new PassThrough();
    splitLines(stream, maxLineBytes, (line) => lines.push(line.toString()));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += chunkBytes) stream.write(bytes.subarray(at, at + chunkBytes));
    stream.end();
    await finished(stream);
    return lines;
  };
  for (const chunkBytes of [1, 2, 3, 100]) {
    assert.deepEqual(await cut('one\n\nt\u00e9\nlast', chunkBytes, 100), ['one', '', 't\u00e9', 'last']);
    assert.deepEqual(await cut('123456789\n1234\n', chunkBytes, 4), ['1234', '5678', '9', '1234']);
    assert.deepEqual(await cut('a\r\nb\r\r\n\rc\n', chunkBytes, 100), ['a', 'b\r', '\rc'], 'one \\r goes');
  }
});

test('lines: JSON objects become values, when the format is JSON; written as Go writes them, or as they are', () => {
  const record = (line, logFormat, goJson = true) =>
    lineRecord(Buffer.from(line), { logFormat, goJson, textNewline: false }).toString();
  assert.equal(record('{"a": 1.0}', 'JSON'), '{"a":1.0}');
  assert.equal(record('{"a": 1.0}', 'JSON', false), '{"a": 1.0}');
  assert.equal(
    record('{"a b" : "<\\" &\u2028 >", "c":[ 1 , 2 ]}', 'JSON'),
    '{"a b":"\\u003c\\" \\u0026\\u2028 \\u003e","c":[1,2]}'
  );
  assert.equal(record('{"a": 1.0}', 'Text'), '"{\\"a\\": 1.0}"');
  assert.equal(record('a<b', 'Text'), '"a\\u003cb"');
  assert.equal(record('a<b', 'Text', false), '"a<b"');
  assert.equal(record(Buffer.from([0x61, 0xff]), 'Text'), '"a\ufffd"');
  for (const line of ['{a', '[1]', '12', '', 'null', '"x"']) assert.equal(record(line, 'JSON'), JSON.stringify(line));
  assert.equal(lineRecord(Buffer.from('x'), { logFormat: 'Text', goJson: true, textNewline: true }), '"x\\n"');
});

test('an event under the first schema has a string as record', () => {
  const event = new TelemetryEvent('function', '{"a":1}');
  assert.deepEqual(JSON.parse(event.bytesFor('2022-07-01')).record, '{"a":1}');
  assert.deepEqual(JSON.parse(event.bytesFor('2022-12-13')).record, { a: 1 });
});

test('subscribing: OK, a second time 500, after init closed, malformed 400', async () => {
  const put = (body, identifier = '$ID') => ({
    method: 'PUT',
    path: '/2022-07-01/telemetry',
    headers: { 'Lambda-Extension-Identifier': identifier },
    body: body.toString()
  });
  const calls = [put(Buffer.from('{}')), put(subscription()), put(subscription(), 'me')];
  const platform = await start({ alpha: { subscribe: {}, calls, onInvoke: { call: put(subscription()) } } });
  assert.deepEqual(
    did(platform, 'subscribe').map(({ status, body }) => [status, body]),
    [[200, '"OK"']]
  );
  await platform.invoke();
  const errors = did(platform, 'call').map(({ status, body }) => [status, JSON.parse(body).errorType]);
  assert.deepEqual(errors, [
    [400, 'ValidationError'],
    [500, 'InternalServerError'],
    [403, 'Extension.InvalidExtensionIdentifier'],
    [403, 'Telemetry.SubscriptionClosed']
  ]);
});

test('emulators: 202 not supported, 404 not there', async () => {
  const unsupported = await start({ alpha: { subscribe: {} } }, { telemetry: 'unsupported' });
  const { status, body } = did(unsupported, 'subscribe')[0];
  assert.deepEqual([status, JSON.parse(body).errorType], [202, 'Telemetry.NotSupported']);
  const absent = await start({ alpha: { subscribe: {} } }, { telemetry: 'absent' });
  assert.equal(did(absent, 'subscribe')[0].status, 404);
});

test('platform events of init and of an invocation; those before the subscription are sent too', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['platform'] } } });
  const { requestId } = await platform.invoke({}, { during: (emit) => emit('function', 'x') });
  const events = await untilReceived(platform, (all) => all.at(-1)?.type === 'platform.report');
  assert.deepEqual(
    events.map(({ type }) => type.replace('platform.', '')),
    [
      'initStart',
      'telemetrySubscription',
      'initRuntimeDone',
      'extension',
      'initReport',
      'start',
      'runtimeDone',
      'report'
    ]
  );
  const record = (name) => events.find(({ type }) => type === `platform.${name}`).record;
  assert.deepEqual(record('telemetrySubscription'), { name: 'alpha', state: 'Subscribed', types: ['platform'] });
  assert.deepEqual(record('extension'), { name: 'alpha', state: 'Ready', events: ['INVOKE', 'SHUTDOWN'] });
  assert.equal(record('initStart').initializationType, 'on-demand');
  for (const name of ['start', 'runtimeDone', 'report']) assert.equal(record(name).requestId, requestId);
  assert.equal(typeof record('report').metrics.initDurationMs, 'number');
  for (const { time } of events) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('the report comes only after the last extension called next', async () => {
  const platform = await start({ alpha: { subscribe: {}, linger: true }, beta: {} });
  const { holdMs } = await platform.invoke();
  const event = (type) => platform.events.findIndex((one) => one.type === type);
  assert.ok(event('platform.report') > event('platform.runtimeDone'));
  const next = platform.calls.filter(({ name, extension }) => name === 'next' && extension === 'alpha').at(-1);
  assert.ok(holdMs > 0);
  assert.ok(platform.events[event('platform.report')].stampMs >= next.time);
});

test('a batch goes when it has maxItems, the rest when it is due', async () => {
  const platform = await start({
    alpha: { subscribe: { types: ['function'], buffering: { ...SLOW, maxItems: 1000 } } }
  });
  for (let n = 0; n < 2500; n += 1) platform.emit('function', n);
  await platform.until(() => platform.posts.length === 2);
  assert.deepEqual(
    platform.posts.map(({ events }) => events),
    [1000, 1000]
  );
  await flushed(platform);
  assert.deepEqual(
    received(platform).map(({ record }) => record),
    Array.from({ length: 2500 }, (_, n) => n)
  );
  const ports = new Set(did(platform, 'post').map(({ port }) => port));
  assert.equal(ports.size, 1, 'one connection, kept alive');
});

test('a batch goes when it has maxBytes', async () => {
  const platform = await start({
    alpha: { subscribe: { types: ['function'], buffering: { ...SLOW, maxBytes: 262144 } } }
  });
  for (let n = 0; n < 3; n += 1) platform.emit('function', 'x'.repeat(100000));
  await platform.until(() => platform.posts.length === 1);
  assert.equal(platform.posts[0].events, 3);
});

test('a batch goes when its time is over', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'], buffering: { timeoutMs: 25 } } } });
  platform.emit('function', 'alone');
  await untilReceived(platform, (events) => events.length === 1);
});

test('a post carries what the emulator sends, to the path of the URI', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'], path: '/a/b?c' } } });
  platform.emit('function', 'x');
  await flushed(platform);
  const { url, headers } = did(platform, 'post')[0];
  assert.equal(url, '/a/b?c');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(Number(headers['content-length']), bodies(platform)[0].length);
  assert.match(headers.host, /^sandbox.localdomain:\d+$/);
});

test('options of the delivery: path dropped, chunked, own headers', async () => {
  const deliver = { dropPath: true, chunked: true, headers: { 'X-More': 'yes' } };
  const platform = await start({ alpha: { subscribe: { types: ['function'], path: '/a' } } }, { deliver });
  platform.emit('function', 'x');
  await flushed(platform);
  const { url, headers } = did(platform, 'post')[0];
  assert.deepEqual(
    [url, headers['transfer-encoding'], headers['content-length'], headers['x-more']],
    ['/', 'chunked', undefined, 'yes']
  );
});

test('a failed batch comes again, unchanged, until it is taken', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function'] }, statuses: [500, 'drop', 404] } },
    { deliver: { backoffMs: 1 } }
  );
  for (const record of ['one', 'two']) platform.emit('function', record);
  await flushed(platform);
  const sent = bodies(platform);
  assert.equal(sent.length, 4);
  for (const body of sent) assert.deepEqual(body, sent[0]);
  assert.deepEqual(
    platform.posts.map(({ status }) => status),
    [500, null, 404, 200]
  );
  assert.deepEqual(
    received(platform).map(({ record }) => record),
    ['one', 'two']
  );
});

test('without retry a failed batch is dropped and reported, as the emulator does; a lost report is not', async () => {
  const subscribe = { types: ['function', 'platform'], buffering: SLOW };
  const platform = await start({ alpha: { subscribe, statuses: [200, 503, 503] } }, { deliver: { retry: false } });
  await platform.flush();
  platform.emit('function', 'lost');
  await flushed(platform);
  assert.deepEqual(platform.posts.map(({ status, events }) => [status, events]).slice(1), [
    [503, 1],
    [503, 1]
  ]);
  const reports = platform.events.filter(({ type }) => type === 'platform.logsDropped');
  assert.deepEqual(
    reports.map(({ record }) => [record.droppedRecords, record.reason]),
    [[1, 'could not send events: http request failed with status 503']]
  );
});

test('a listener that never answers: the time of a post is limited', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function'] }, silent: true } },
    { deliver: { timeoutMs: 100, attempts: 2, backoffMs: 1 } }
  );
  platform.emit('function', 'x');
  await platform.flush();
  assert.deepEqual(
    platform.posts.map(({ error }) => error),
    Array(2).fill('no answer in 100 ms')
  );
});

test("busy 'keep', a slow subscriber: past the bound events are dropped, counted and reported", async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function', 'platform'], buffering: SLOW } } },
    { deliver: { busy: 'keep', bufferBytes: 300000, bytesPerMs: Infinity } }
  );
  for (let n = 0; n < 5000; n += 1) platform.emit('function', 'x'.repeat(100));
  await flushed(platform);
  const dropped = received(platform).filter(({ type }) => type === 'platform.logsDropped');
  const arrived = received(platform).filter(({ type }) => type === 'function').length;
  assert.equal(dropped.length, 1);
  assert.match(dropped[0].record.reason, /slower than the logs production rate/);
  assert.ok(dropped[0].record.droppedBytes > 0);
  assert.equal(arrived + dropped[0].record.droppedRecords, 5000);
});

// By category, what the fake got and what the platform says to have dropped.
function accounts(platform) {
  const kinds = ['function', 'platform'];
  const got = received(platform).map(({ type }) => (type.startsWith('platform.') ? 'platform' : type));
  const sum = (kind) => platform.drops.reduce((all, { records }) => all + records[kind], 0);
  return Object.fromEntries(
    kinds.map((kind) => [kind, { received: got.filter((one) => one === kind).length, dropped: sum(kind) }])
  );
}

test("AWS's rule is the default", async () => {
  assert.equal(settingsFrom({}).deliver.busy, 'drop');
  assert.throws(() => settingsFrom({ deliver: { busy: 'wait' } }), /deliver.busy must be drop or keep, not wait/);
});

test('what falls due during a POST is dropped whole, platform events too; so may be the notice that follows', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function', 'platform'], buffering: { ...SLOW, maxItems: 1000 } }, heldPosts: 1 } },
    DROP
  );
  platform.flush();
  await platform.until(() => did(platform, 'held').length === 1);
  const before = platform.events.length;
  for (let n = 0; n < 500; n += 1) platform.emit('function', n);
  platform.emit('platform.runtimeDone', { requestId: 'x', status: 'success' });
  for (let n = 500; n < 2500; n += 1) platform.emit('function', n);
  await platform.until(() => platform.drops.length === 2);
  const [first, second] = platform.drops;
  assert.equal(first.extension, 'alpha');
  assert.match(first.reason, /slower than the logs production rate/);
  assert.deepEqual(first.events, platform.events.slice(before, before + 1000));
  assert.deepEqual(first.records, { function: 999, extension: 0, platform: 1 });
  assert.equal(second.events[0].type, 'platform.logsDropped', 'the notice of the first');
  assert.deepEqual(second.records, { function: 999, extension: 0, platform: 1 });
  release(platform);
  await flushed(platform);
  const notices = received(platform).filter(({ type }) => type === 'platform.logsDropped');
  assert.deepEqual(
    notices.map(({ record }) => [record.droppedRecords, record.droppedBytes]),
    [[1000, second.bytes]]
  );
  const { function: lines } = accounts(platform);
  assert.deepEqual(lines, { received: 502, dropped: 1998 });
});

test('a batch that falls due by its time during a POST is dropped as well; what comes later is sent', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'] }, heldPosts: 1 } }, DROP);
  platform.emit('function', 'taken');
  await platform.until(() => did(platform, 'held').length === 1);
  platform.emit('function', 'dropped');
  await platform.until(() => platform.drops.length === 1);
  assert.deepEqual(
    platform.drops[0].events.map(({ record }) => record),
    ['dropped']
  );
  release(platform);
  await flushed(platform);
  platform.emit('function', 'sent');
  await flushed(platform);
  assert.deepEqual(
    received(platform).map(({ record }) => record),
    ['taken', 'sent']
  );
});

test('a batch grows no older while everything is frozen', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function'], buffering: { timeoutMs: 1000 } }, heldPosts: 1 } },
    DROP
  );
  platform.emit('function', 'one');
  platform.flush();
  await platform.until(() => did(platform, 'held').length === 1);
  platform.emit('function', 'two');
  platform.freeze();
  await sleep(1100); // longer than a batch may wait
  release(platform);
  platform.thaw();
  await flushed(platform);
  assert.deepEqual([received(platform).length, platform.drops], [2, []]);
});

test('events take their time through the pipe, in order; an invocation ends when its lines are through', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function', 'platform'], buffering: SLOW } } },
    { deliver: { bytesPerMs: 1000 } }
  );
  const began = performance.now();
  await platform.invoke({}, { during: (emit) => Array.from({ length: 300 }, (_, n) => emit('function', n)) });
  assert.ok(performance.now() - began >= 15, '300 lines of 70 bytes are 21 ticks of a millisecond');
  await flushed(platform);
  const records = received(platform)
    .filter(({ type }) => type === 'function')
    .map(({ record }) => record);
  assert.deepEqual(
    records,
    Array.from({ length: 300 }, (_, n) => n)
  );
});

test('bytes survive: invalid UTF-8, escapes, spaces', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'], buffering: SLOW } } });
  const raw = Buffer.concat([
    Buffer.from('{ "\\u00e9\\/": "'),
    Buffer.from([0xff, 0xc3, 0x28]),
    Buffer.from('",  "n": 1.50e+3 }')
  ]);
  const event = platform.emitRaw('function', raw);
  assert.deepEqual(event.recordBytes, raw);
  platform.emitRaw('extension', '1');
  await flushed(platform);
  assert.deepEqual(bodies(platform)[0], Buffer.concat([Buffer.from('['), event.bytes, Buffer.from(']')]));
  assert.ok(bodies(platform)[0].includes(raw));
});

test('types of events: only what there is', async () => {
  const platform = await start({});
  assert.throws(() => platform.emit('logs', 'x'), /no type of event/);
  assert.throws(() => platform.emit('function', undefined), /not a JSON value/);
});

test('each subscriber gets its types, under its schema', async () => {
  const fakes = {
    alpha: { tally: true, subscribe: { types: ['extension'], schemaVersion: '2022-07-01' } },
    beta: { tally: true, subscribe: { types: ['function'], schemaVersion: '2022-12-13' } }
  };
  const platform = await start(fakes, { logFormat: 'JSON' });
  platform.emit('function', { a: 1 });
  await platform.flush();
  await platform.shutdown();
  const [{ events }] = did(platform, 'tally');
  assert.ok(events.some(({ record }) => JSON.parse(record).did === 'register'));
  assert.ok(events.every(({ type, record }) => type === 'extension' && typeof record === 'string'));
  assert.deepEqual(
    did(platform, 'tally', 'beta')[0].events.map(({ record }) => record),
    [{ a: 1 }]
  );
});

test('lines of the function become events, and come before runtimeDone', async () => {
  const options = { bootstrap: `${EXAMPLES}node/bootstrap`, logFormat: 'JSON' };
  const platform = await start({ alpha: { subscribe: {}, linger: true } }, options);
  const { requestId } = await platform.invoke({ lines: 2000 });
  await flushed(platform);
  const events = received(platform);
  const messages = events.filter(({ type }) => type === 'function').map(({ record }) => record.message);
  assert.deepEqual(
    messages,
    Array.from({ length: 2000 }, (_, n) => `id=${requestId}-${n + 1} hello from Node`)
  );
  const last = events.findLastIndex(({ type }) => type === 'function');
  assert.ok(last < events.findIndex(({ type }) => type === 'platform.runtimeDone'));
});

test('long lines come whole, a line without its end at the end of the process', async () => {
  const bootstrap = script(
    'bootstrap',
    `#!/bin/sh
head -c 250000 /dev/zero | tr '\\0' x; echo
trap 'printf last; exit 0' TERM
${EXAMPLES}node/bootstrap & wait $!
`
  );
  const platform = await start({ alpha: {} }, { bootstrap, taskRoot: `${EXAMPLES}node` });
  await platform.shutdown();
  const lines = platform.lines.filter(({ source }) => source === 'function').map(({ line }) => line);
  assert.equal(lines[0].length, 250000);
  assert.equal(lines.at(-1), 'last'); // the shell may say "Terminated" in between
});

test('a line above 64 KiB comes in pieces, unless told otherwise', async () => {
  assert.equal(settingsFrom({}).maxLineBytes, 65536);
  const bootstrap = script(
    'bootstrap',
    `#!/bin/sh\nhead -c 150000 /dev/zero | tr '\\0' x; echo\nexec ${EXAMPLES}node/bootstrap\n`
  );
  const platform = await start({}, { bootstrap, taskRoot: `${EXAMPLES}node`, maxLineBytes: undefined });
  const lengths = platform.events.filter(({ type }) => type === 'function').map(({ record }) => record.length);
  assert.deepEqual(lengths, [65536, 65536, 150000 - 2 * 65536]);
});

test('late lines: behind the end of the invocation, in order, with the time when they were logged', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function', 'platform'] } } },
    { lineDelayMs: [200, 400], seed: 7 }
  );
  await platform.invoke({}, { during: (emit) => [1, 2, 3].forEach((n) => emit('function', n)) });
  await platform.invoke({}, { start: false });
  await flushed(platform);
  const events = received(platform).filter(({ type }) => /^function|Done$/.test(type));
  const done = events.findIndex(({ type }) => type === 'platform.runtimeDone');
  const lines = events.filter(({ type }) => type === 'function');
  assert.deepEqual(
    lines.map(({ record }) => record),
    [1, 2, 3]
  );
  assert.ok(events.indexOf(lines[0]) > done);
  assert.ok(lines[0].time <= events[done].time);
});

test('a POST in pieces and halves arrives as it is; a freeze between the halves holds the second back', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function'] } } },
    { deliver: { pieceBytes: 4096, halvesMs: 50, idleMs: 1000 } }
  );
  for (let n = 0; n < 100; n += 1) platform.emit('function', `${n} `.padEnd(300, 'x'));
  await flushed(platform);
  assert.equal(received(platform).length, 100);
  platform.emit('function', 'cut by a freeze');
  const sent = platform.flush();
  await sleep(10); // the first half is on its way
  platform.freeze();
  await sleep(200);
  assert.equal(received(platform).length, 100);
  platform.thaw();
  await sent;
  await flushed(platform);
  assert.equal(received(platform).length, 101);
});

test('an answer before the end of the body is a failure', async () => {
  const platform = await start(
    { alpha: { subscribe: { types: ['function'] }, hasty: true } },
    { deliver: { halvesMs: 300, retry: false } }
  );
  platform.emit('function', 'x');
  await platform.flush();
  assert.deepEqual(
    platform.posts.map(({ error }) => error),
    ['an answer before the end of the body']
  );
});

test('TCP: events line by line; refused when nobody listens', async () => {
  const platform = await start({ alpha: { subscribe: { types: ['function'], protocol: 'TCP' } } });
  for (const record of ['a', { b: 1 }]) platform.emit('function', record);
  await platform.flush();
  const text = () =>
    did(platform, 'tcp')
      .map(({ base64 }) => Buffer.from(base64, 'base64'))
      .join('');
  await platform.until(() => text().split('\n').length === 3);
  assert.deepEqual(
    text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).record),
    ['a', { b: 1 }]
  );
  const closed = JSON.stringify({
    schemaVersion: '2025-01-29',
    types: ['function'],
    destination: { protocol: 'TCP', port: 1 }
  });
  const put = {
    method: 'PUT',
    path: '/2022-07-01/telemetry',
    headers: { 'Lambda-Extension-Identifier': '$ID' },
    body: closed
  };
  const refusing = await start({ alpha: { calls: [put] } });
  assert.equal(did(refusing, 'call')[0].status, 400);
});

test('long records are cut when asked for: neither body is JSON by itself', async () => {
  const subscribe = { types: ['function'], buffering: { ...SLOW, maxBytes: 262144 } };
  const platform = await start({ alpha: { subscribe, damaged: true } }, { deliver: { cutLongRecords: true } });
  const record = { message: 'y'.repeat(300000) };
  const event = platform.emit('function', record);
  await flushed(platform);
  const [head, tail] = bodies(platform);
  assert.throws(() => JSON.parse(head));
  assert.throws(() => JSON.parse(tail));
  const envelope = event.bytes.subarray(0, event.recordStart);
  assert.deepEqual(tail.subarray(1, envelope.length + 2), Buffer.concat([envelope, Buffer.from('"')]));
  const joined = Buffer.concat([head, tail.subarray(envelope.length + 2)]);
  assert.deepEqual(JSON.parse(joined)[0].record, record);
});
