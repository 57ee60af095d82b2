/*
 * Records that Kinesis does not take: they are found in the bucket, or on standard error, each once,
 * with what it takes to put them into a stream again.
 */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import * as faults from './support/faults.mjs';
import { jsonRecords, oddRecords, textRecords } from './support/lines.mjs';
import { S3, readLetters } from './support/s3.mjs';
import { data, finished, log, useBench } from './support/scenario.mjs';
import { assertSame } from './support/tally.mjs';

const { scenario } = useBench();

const BUCKET = 'letters';
/* A stream that takes nothing: what is left at SHUTDOWN is for the dead letter. */
const SHORT = { platform: { shutdownMs: 3_000 } };
const servers = [];

after(() => Promise.all(servers.map((s3) => s3.stop())));

/* A scenario with a bucket; s3 holds options of S3.start. */
function withBucket(name, { s3: options = {}, to = `s3://${BUCKET}/some/where`, env = {}, ...rest }, body) {
  let s3;
  scenario(name, async (bench) => {
    const certificate = options.plain ? undefined : await bench.certificates.leaf();
    s3 = await S3.start({ buckets: [BUCKET], certificate, ...options });
    servers.push(s3);
    return { ...rest, env: { AWS_ENDPOINT_URL_S3: s3.url, TELEMETRY_DEAD_LETTER: to, ...env } };
  }, async (stand, bench) => {
    await body(stand, s3, bench);
    assert.deepEqual(s3.violations, []);
  });
}

/* Kinesis refuses each call that holds one of these records. */
function refusing(bad) {
  return (exchange) => {
    const found = exchange.call.Records.some(({ Data }) => bad(Buffer.from(Data, 'base64').toString('latin1')));
    return found && faults.refuse(400, 'InvalidArgumentException', 'Refused by the test.')(exchange);
  };
}

function letterData(letters) {
  return letters.map((one) => one.data);
}

withBucket('records that are refused for what they are, the others are delivered',
  { to: `s3://${BUCKET}/a b/ä+c%41(*)/` }, async (stand, s3) => {
    stand.front.fault = refusing((text) => text.includes('bad-'));
    const good = jsonRecords(40, 200, 'good');
    const bad = jsonRecords(3, 200, 'bad');
    await log(stand, [...good.slice(0, 10), ...bad, ...good.slice(10)]);
    const end = await finished(stand);
    assertSame(data(good), data(end.records));
    const letters = await s3.letters(BUCKET);
    assertSame(data(bad), letterData(letters));
    assert.equal(end.ledger.deadLettered, 3);
    assert.equal(end.ledger.dropped.total, 0);
    assert.deepEqual(s3.refusals, []);
    for (const { key, partitionKey } of letters) {
      assert.match(key, /^a b\/ä\+c%41\(\*\)\/\d{4}\/\d\d\/\d\d\/\d{8}T\d{9}Z-.+-[0-9a-f]{32}-\d{8}\.ndjson$/);
      assert.ok(partitionKey.length > 0);
    }
    const [object] = await s3.objects(BUCKET);
    assert.equal(object.type, 'application/x-ndjson');
  });

withBucket('a stream that takes nothing: all is in the bucket, and can be put into the stream again',
  SHORT, async (stand, s3, { kinesis }) => {
    stand.front.fault = faults.refuse(500, 'InternalFailure');
    const records = [...jsonRecords(700), ...textRecords(50)];
    await log(stand, records);
    const end = await finished(stand);
    const letters = await s3.letters(BUCKET);
    assertSame(data(records), letterData(letters));
    assert.equal(end.ledger.deadLettered, records.length);
    assert.equal(new Set(letters.map((one) => one.partitionKey)).size, records.length);
    for (let at = 0; at < letters.length; at += 500) {
      const Records = letters.slice(at, at + 500).map((one) => ({ Data: one.data, PartitionKey: one.partitionKey }));
      await kinesis.client.send(new PutRecordsCommand({ StreamName: stand.stream, Records }));
    }
    assertSame(data(records), data(await kinesis.readAll(stand.stream)));
  });

withBucket('any bytes', { ...SHORT, env: { TELEMETRY_RECORD_FORMAT: 'event' } }, async (stand, s3) => {
  stand.front.fault = faults.refuse(500, 'InternalFailure');
  await log(stand, oddRecords.map(([, record]) => ({ record })));
  await finished(stand);
  assertSame(stand.eventBytes('function'), letterData(await s3.letters(BUCKET)));
  const lines = (await s3.objects(BUCKET)).map((one) => one.body.toString()).join('');
  assert.match(lines, /^\{"Data":"/m);
  assert.match(lines, /^\{"DataBase64":"/m);
});

withBucket('over plain HTTP', { ...SHORT, s3: { plain: true } }, async (stand, s3) => {
  stand.front.fault = faults.refuse(500, 'InternalFailure');
  const records = jsonRecords(10);
  await log(stand, records);
  await finished(stand);
  assertSame(data(records), letterData(await s3.letters(BUCKET)));
});

withBucket('a bucket in another region', { ...SHORT, s3: { bucketRegion: 'eu-west-3' } }, async (stand, s3) => {
  stand.front.fault = refusing((text) => text.includes('bad-'));
  const first = jsonRecords(1, 200, 'bad-first');
  const then = jsonRecords(1, 200, 'bad-then');
  await log(stand, first);
  await log(stand, then);
  const end = await finished(stand);
  assertSame(data([...first, ...then]), letterData(await s3.letters(BUCKET)));
  assert.equal(end.ledger.deadLettered, 2);
  assert.deepEqual(s3.refusals.map((one) => one.type), ['AuthorizationHeaderMalformed']);
});

const passing = [
  ['503 SlowDown', faults.times(2, faults.refuse(503, 'SlowDown', 'Please reduce your request rate.'))],
  ['500', faults.times(2, faults.refuse(500, 'InternalError'))],
  ['400 RequestTimeout', faults.times(2, faults.refuse(400, 'RequestTimeout'))],
  ['a close before the reply', faults.times(2, faults.close('before'))],
  ['a reset in the reply', faults.times(1, faults.close('head', { how: 'reset' }))]
];

for (const [what, fault] of passing) {
  withBucket(`S3 fails for a while: ${what}`, { platform: { shutdownMs: 20_000 } }, async (stand, s3) => {
    s3.fault = fault;
    stand.front.fault = refusing(() => true);
    const records = jsonRecords(4);
    await log(stand, records);
    const end = await finished(stand);
    assertSame(data(records), letterData(await s3.letters(BUCKET)));
    assert.equal(end.ledger.deadLettered, records.length);
    assert.ok(s3.statistics.objects > 1);
  });
}

/* Written, but the answer is lost: later records come, too, before it is tried again. */
const lost = [
  ['a reset', faults.close('before', { how: 'reset', accepted: true })],
  ['a gateway that gave up waiting', async (exchange) => {
    await exchange.answer();
    exchange.send(exchange.error(504, 'GatewayTimeout', 'x'));
    return true;
  }],
  ['silence', faults.silence({ accepted: true })]
];

for (const [what, fault] of lost) {
  withBucket(`written, and the answer is lost: ${what}`, { platform: { shutdownMs: 6_000 } }, async (stand, s3) => {
    s3.fault = faults.times(2, fault);
    stand.front.fault = refusing((text) => text.includes('bad-'));
    const bad = jsonRecords(500, 60, 'bad-first');
    await log(stand, jsonRecords(10, 200, 'good'));
    await log(stand, bad);
    const then = jsonRecords(5, 200, 'bad-then');
    await log(stand, then);
    const end = await finished(stand);
    const letters = await s3.letters(BUCKET);
    assertSame(data([...bad, ...then]), letterData(letters));
    assert.deepEqual([end.ledger.deadLettered, end.ledger.duplicatesPossible], [505, 0]);
  });
}

const lasting = [
  ['403', (s3) => { s3.fault = faults.refuse(403, 'AccessDenied', 'Access Denied'); }],
  ['no such bucket', () => {}, 's3://no-such-bucket'],
  ['credentials that it does not know', (s3) => { s3.credentials = { ...s3.credentials, accessKeyId: 'OTHER' }; }],
  ['silence', (s3) => { s3.fault = faults.silence(); }]
];

for (const [what, spoil, to] of lasting) {
  withBucket(`S3 never takes it: ${what}`, { ...SHORT, to }, async (stand, s3) => {
    spoil(s3);
    stand.front.fault = faults.refuse(500, 'InternalFailure');
    const records = jsonRecords(20);
    await log(stand, records);
    const end = await finished(stand);
    assert.deepEqual(await s3.objects(BUCKET), []);
    const { received, delivered, deadLettered, dropped } = end.ledger;
    assert.deepEqual({ received, delivered, deadLettered, shutdown: dropped.shutdown },
      { received: 20, delivered: 0, deadLettered: 0, shutdown: 20 });
    /* each kind of failure is told once, or once more at the end; a slow machine may be another kind in between */
    const told = stand.logsOf('error').map((one) => one.message).filter((one) => one.includes('PutObject'));
    for (const kind of new Set(told)) {
      assert.ok(told.filter((one) => one === kind).length <= 2, JSON.stringify(told));
    }
  });
}

scenario('on standard error', { ...SHORT, env: { TELEMETRY_DEAD_LETTER: 'stderr' } }, async (stand) => {
  stand.front.fault = faults.refuse(500, 'InternalFailure');
  const records = jsonRecords(300);
  await log(stand, records);
  const end = await finished(stand);
  const lines = end.logs.filter((one) => one.PartitionKey !== undefined).map((one) => `${JSON.stringify(one)}\n`);
  assertSame(data(records), letterData(readLetters(lines.join(''))));
  assert.equal(end.ledger.deadLettered, records.length);
  assert.equal(end.ledger.dropped.total, 0);
});

scenario('nowhere, by default', SHORT, async (stand) => {
  stand.front.fault = faults.refuse(500, 'InternalFailure');
  await log(stand, jsonRecords(5));
  const end = await finished(stand);
  assert.equal(end.ledger.deadLettered, 0);
  assert.equal(end.ledger.dropped.shutdown, 5);
});
