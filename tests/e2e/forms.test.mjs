/*
 * TELEMETRY_AGGREGATION and TELEMETRY_COMPRESSION: whatever the form of the records, each event arrives as often as the
 * ledger says, byte for byte.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after } from 'node:test';
import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import * as faults from './support/faults.mjs';
import { asLine, FORMS, unfold } from './support/forms.mjs';
import { jsonRecords, longLine, oddRecords, textRecords } from './support/lines.mjs';
import { S3 } from './support/s3.mjs';
import { allDelivered, data, finished, log, useBench } from './support/scenario.mjs';
import { assertNoneLost, assertSame, compare } from './support/tally.mjs';

const { scenario } = useBench();

const KIB = 1024;
const ROOMY = { TELEMETRY_QUEUE_MAX_BYTES: String(16 * KIB * KIB), TELEMETRY_RECORD_FORMAT: 'event' };
const servers = [];

after(() => Promise.all(servers.map((s3) => s3.stop())));

/* Every kind of line, many times over, and long ones among them: 2,000. */
const mixed = [
  ...jsonRecords(1_000), ...textRecords(1_000 - 5 * oddRecords.length - 6, 90),
  ...Array.from({ length: 5 }, () => oddRecords.map(([, record]) => record)).flat(),
  ...[64, 64, 250, 250].map((kib, i) => longLine(kib * KIB, `long-${i}`)), longLine(3_000, 'x'), '""'
].map((one, i) => ({ at: i * 977 % 2_000, one })).sort((a, b) => a.at - b.at).map(({ one }) => one);

/* What was logged, as it has to arrive. */
function logged(stand, form) {
  return stand.eventBytes('function').map((bytes) => asLine(form, bytes));
}

function checkSizes(form, { ledger, records }) {
  const bytes = records.reduce((sum, one) => sum + one.data.length, 0);
  const units = records.reduce((sum, one) => sum + Math.ceil((one.data.length + one.partitionKey.length) / KIB), 0);
  const payload = unfold({ gzip: form.gzip }, data(records)).reduce((sum, one) => sum + one.length, 0);
  assert.deepEqual([ledger.records, ledger.payloadBytes, ledger.units], [records.length, payload, units]);
  assert.ok(form.gzip ? bytes < payload : bytes === payload);
}

for (const form of FORMS) {
  scenario(`${form.name}: each event once`, { env: { ...ROOMY, ...form.env } }, async (stand) => {
    for (let i = 0; i < 4; i += 1) {
      await log(stand, mixed.slice(i * 500, (i + 1) * 500));
    }
    const end = await allDelivered(stand, mixed.length);
    assertSame(logged(stand, form), unfold(form, data(end.records)));
    checkSizes(form, end);
    if (form.lines || form.messages) {
      assert.ok(end.ledger.records < mixed.length / 20, `${end.ledger.records} records`);
    }
  });

  scenario(`${form.name}: through lost replies, records that fail and calls that do, as often as the ledger says`,
    { env: { ...ROOMY, ...form.env } }, async (stand) => {
      const partly = faults.failRecords(0.3);
      let calls = 0;
      stand.front.fault = (exchange) => {
        calls += 1;
        if (calls % 5 === 2) {
          return faults.close('before', { how: 'reset', accepted: true })(exchange);
        }
        return calls % 5 === 4 ? faults.refuse(500, 'InternalFailure')(exchange) : partly(exchange);
      };
      for (let i = 0; i < 10; i += 1) {
        await log(stand, mixed.slice(i * 200, (i + 1) * 200));
      }
      stand.front.fault = null;
      const { ledger, records } = await allDelivered(stand, mixed.length);
      const sent = logged(stand, form);
      const arrived = unfold(form, data(records));
      assertNoneLost(sent, arrived);
      const { duplicated } = compare(sent, arrived);
      assert.ok(duplicated.length <= ledger.duplicatesPossible,
        `${duplicated.length} duplicates, ${ledger.duplicatesPossible} are possible`);
      assert.ok(duplicated.length > 0 && ledger.retried > 0);
    });

  scenario(`${form.name}: what is left at SHUTDOWN is in the dead letter, and can be put back as it is`, async (bench) => {
    const s3 = await S3.start({ buckets: ['letters'], certificate: await bench.certificates.leaf() });
    servers.push(s3);
    return {
      platform: { shutdownMs: 3_000 },
      env: { ...ROOMY, ...form.env, AWS_ENDPOINT_URL_S3: s3.url, TELEMETRY_DEAD_LETTER: 's3://letters' }
    };
  }, async (stand, { kinesis }) => {
    stand.front.fault = faults.refuse(500, 'InternalFailure');
    /* some are no UTF-8, and lines in the same record as one of these neither; the last are by themselves */
    await log(stand, mixed.slice(0, 500));
    const { ledger } = await finished(stand);
    assert.equal(ledger.deadLettered, 500);
    assert.equal(ledger.records, 0);
    const letters = await servers.at(-1).letters('letters');
    const Records = letters.map((one) => ({ Data: one.data, PartitionKey: one.partitionKey }));
    for (let at = 0; at < Records.length; at += 200) {
      const some = { StreamName: stand.stream, Records: Records.slice(at, at + 200) };
      await kinesis.client.send(new PutRecordsCommand(some));
    }
    assertSame(logged(stand, form), unfold(form, data(await kinesis.readAll(stand.stream))));
    if (form.gzip) {
      const objects = (await servers.at(-1).objects('letters')).map((one) => one.body.toString()).join('');
      assert.equal(objects.match(/^\{"DataBase64":"H4sI/gm).length, letters.length);
    }
  });
}

/* A run of a program that has these bytes as its input. */
function piped(input, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 64 * KIB * KIB });
  assert.equal(status, 0, String(stderr));
  return stdout;
}

for (const form of FORMS.filter(({ gzip }) => gzip)) {
  scenario(`${form.name}: gzip and Python take each record, and all of them one after the other`,
    { env: { ...ROOMY, ...form.env } }, async (stand) => {
      await log(stand, mixed.slice(0, 300));
      const end = await allDelivered(stand, 300);
      const all = Buffer.concat(data(end.records));
      const want = Buffer.concat(unfold({ gzip: true }, data(end.records)));
      piped(end.records[0].data, 'gzip', '-t');
      assert.deepEqual(piped(all, 'gzip', '-dc'), want);
      assert.deepEqual(piped(all, 'python3', '-c',
        'import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))'), want);
    });

  scenario(`${form.name}: an event that is larger than a record passes where it fits compressed`,
    { env: { ...ROOMY, ...form.env } }, async (stand) => {
      const records = [...jsonRecords(10), longLine(1088 * KIB - 200, 'large'), ...jsonRecords(10, 200, 'then')];
      await log(stand, records);
      const end = await allDelivered(stand, records.length);
      assertSame(logged(stand, form), unfold(form, data(end.records)));
      assert.deepEqual([end.ledger.truncated, end.ledger.split], [0, 0]);
    });
}

/* Lines of one request, so that they are in a record of their own. */
function ofRequest(id, count) {
  return jsonRecords(count, 200, id).map(({ record, data: message }) => ({
    record: record.replace('{', `{"requestId":"${id}",`), data: message
  }));
}

/* Kinesis refuses each call that holds one of its lines. */
for (const letter of [true, false]) {
  scenario(`lines: a record that is refused for what it is ${letter ? 'is in the dead letter' : 'is dropped'}, with all of its events`,
    { env: { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_PARTITION_KEY: 'request', ...letter ? { TELEMETRY_DEAD_LETTER: 'stderr' } : {} } }, async (stand) => {
      stand.front.fault = (exchange) =>
        exchange.call.Records.some(({ Data }) => Buffer.from(Data, 'base64').includes('bad-3')) &&
        faults.refuse(400, 'InvalidArgumentException', 'Refused by the test.')(exchange);
      const good = [ofRequest('good', 30), ofRequest('better', 30), ofRequest('best', 30)];
      const bad = ofRequest('bad', 7);
      await log(stand, [...good[0], ...good[1], ...bad, ...good[2]]);
      const { ledger, records } = await stand.finish();
      assertSame(data(good.flat()), unfold({ lines: true }, data(records)));
      assert.deepEqual([ledger.received, ledger.delivered, ledger.deadLettered, ledger.dropped.total],
        [97, 90, letter ? 7 : 0, letter ? 0 : 7]);
      const letters = stand.platform.lines.map(({ line }) => String(line)).filter((line) => line.startsWith('{"Data":'));
      assert.deepEqual(letters.map((line) => JSON.parse(line).Data), letter ? [bad.map((one) => `${one.data}\n`).join('')] : []);
    });
}

scenario('lines: one invocation is one record, closed when TELEMETRY_AGGREGATION_MAX_BYTES is passed',
  { env: { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_AGGREGATION_MAX_BYTES: '2000', TELEMETRY_RECORD_FORMAT: 'message' } },
  async (stand) => {
    /* lines of 100 bytes */
    const records = textRecords(50, 97);
    await log(stand, records.slice(0, 10));
    await log(stand, records.slice(10));
    const end = await allDelivered(stand, 50);
    assert.deepEqual(end.records.map((one) => one.data.length).sort((a, b) => a - b), [1000, 2000, 2000]);
    assertSame(data(records), unfold({ lines: true }, data(end.records)));
  });

scenario('lines: where invocations are not held, those of several are in one record, until SHUTDOWN at the latest',
  { env: { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_FLUSH: 'continuous', TELEMETRY_LINGER_MS: '60000' } }, async (stand) => {
    for (let i = 0; i < 5; i += 1) {
      await log(stand, jsonRecords(10, 200, `i${i}`));
    }
    const end = await allDelivered(stand, 50);
    /* what Lambda hands over after SHUTDOWN is in another one */
    assert.ok(end.records.length <= 2, `${end.records.length} records`);
    assert.equal(unfold({ lines: true }, data(end.records)).length, 50);
  });

scenario('lines: records of one request each, where the request is the partition key',
  { env: { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_PARTITION_KEY: 'request' } }, async (stand) => {
    const ids = [];
    for (let i = 0; i < 3; i += 1) {
      ids.push((await log(stand, jsonRecords(20, 200, `i${i}`))).requestId);
    }
    const end = await allDelivered(stand, 60);
    assert.deepEqual(end.records.map((one) => one.partitionKey).sort(), ids.sort());
  });
