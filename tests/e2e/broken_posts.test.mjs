/*
 * A POST that breaks off and is sent again: its lines are in the stream once, or counted as possible doubles.
 * More runs of the same: ./build.sh endurance broken
 */
import assert from 'node:assert/strict';
import { setTimeout as frozen } from 'node:timers/promises';
import { brokenPosts, counted } from './support/broken_posts.mjs';
import { light } from './support/light.mjs';
import { RawClient, request } from './support/raw_client.mjs';
import { stopsReading } from './support/listening.mjs';
import { ANY_PATH, NAME } from './support/stand.mjs';
import { until } from './support/until.mjs';

const SEED = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 1e6));
const RUNS = 20;

const CONTINUOUS = { TELEMETRY_FLUSH: 'continuous', TELEMETRY_QUEUE_MAX_BYTES: String(16 * 1024 * 1024) };
const OPTIONS = { env: CONTINUOUS, platform: { deliver: ANY_PATH } };

light(`${RUNS} POSTs break off and come again unchanged: none lost, none doubled (SEED=${SEED})`, OPTIONS, async (stand) => {
  const { least, most } = await brokenPosts(stand, { runs: RUNS, seed: SEED });
  const { ledger, arrived } = await stand.finish();
  const { received, repeated, duplicatesPossible, dropped } = ledger;
  assert.deepEqual(counted(arrived, RUNS), { lost: 0, doubles: 0 });
  assert.deepEqual({ received, duplicatesPossible, dropped: dropped.total },
    { received: arrived.length, duplicatesPossible: 0, dropped: 0 });
  assert.ok(repeated >= least && repeated <= most, `${repeated} of ${least} to ${most}`);
});

light(`some come again with another time: doubles are counted as possible (SEED=${SEED})`, OPTIONS, async (stand) => {
  await brokenPosts(stand, { runs: RUNS / 2, seed: SEED, changed: 0.5 });
  const { ledger, arrived } = await stand.finish();
  const { lost, doubles } = counted(arrived, RUNS / 2);
  assert.equal(lost, 0);
  assert.ok(doubles <= ledger.duplicatesPossible, `${doubles} doubles, ${ledger.duplicatesPossible} possible`);
});

/* A batch of so many lines and where it may break off, the lines before that place counted. */
function batch(label, count) {
  const list = Array.from({ length: count }, (_, i) =>
    `{"time":"2026-11-20T10:00:00.123Z","type":"function","record":{"message":"run ${label} line ${i} x"}}`);
  return { list, body: `[${list.join(',')}]`, upTo: (n) => `[${list.slice(0, n).join(',')},`.length };
}

function port(stand) {
  const { body } = stand.platform.calls.find((call) => call.name === 'subscribe');
  return Number(new URL(JSON.parse(body).destination.URI).port);
}

/* Resolves when the kernel has taken all that was written, and the end. */
function closed(client) {
  return until('the sender has closed', () => client.socket.writableFinished);
}

async function breaksOff(stand, body, at, arrived) {
  const client = await RawClient.connect(port(stand));
  const whole = request(body);
  await client.write(whole.subarray(0, whole.length - Buffer.byteLength(body) + at));
  await arrived(client);
  client.reset();
}

async function post(stand, body) {
  const client = await RawClient.connect(port(stand));
  await client.write(request(body));
  await client.replies(1);
  assert.deepEqual(client.statuses, [200]);
  client.destroy();
}

const has = (stand, count) => () => until('lines arrive', () => stand.arrived.length >= count);

light('exactly what was taken is passed over; other batches in between do not matter', OPTIONS, async (stand) => {
  const a = batch(0, 1_000);
  const b = batch(1, 300);
  await breaksOff(stand, a.body, a.upTo(400), has(stand, 400));
  await breaksOff(stand, b.body, b.upTo(7), has(stand, 407));
  const c = batch(2, 10);
  await post(stand, c.body);
  await post(stand, b.body);
  /* it breaks off once more, further on, and before the place that is known */
  await breaksOff(stand, a.body, a.upTo(900), has(stand, 900 + 310));
  await breaksOff(stand, a.body, a.upTo(100), async () => {});
  await post(stand, a.body);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual([arrived.length, new Set(arrived).size], [1_310, 1_310]);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [1_310, 7 + 400 + 900, 0]);
});

light('a batch that comes again with one byte changed is taken whole', OPTIONS, async (stand) => {
  const a = batch(0, 500);
  await breaksOff(stand, a.body, a.upTo(400), has(stand, 400));
  await post(stand, a.body.replace('run 0 line 399 x', 'run 0 line 399 y'));
  const { ledger, arrived } = await stand.finish();
  assert.equal(arrived.length, 900);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [900, 0, 400]);
});

light('a batch that is shorter than what was taken is taken whole', OPTIONS, async (stand) => {
  const a = batch(0, 500);
  await breaksOff(stand, a.body, a.upTo(400), has(stand, 400));
  await post(stand, `[${a.list.slice(0, 300).join(',')}]`);
  const { ledger, arrived } = await stand.finish();
  assert.equal(arrived.length, 700);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [700, 0, 400]);
});

light('a sender that has gone before the answer: the batch may come again, and is passed over', OPTIONS, async (stand) => {
  const a = batch(0, 500);
  const client = await RawClient.connect(port(stand));
  process.kill(stand.platform.pids[NAME], 'SIGSTOP'); /* so that nothing is read before the sender has gone */
  client.socket.end(request(a.body));
  await closed(client);
  process.kill(stand.platform.pids[NAME], 'SIGCONT');
  await client.replies(1);
  await client.peerCloses();
  client.destroy();
  await post(stand, a.body);
  const { ledger, arrived } = await stand.finish();
  assert.equal(arrived.length, 500);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [500, 500, 0]);
});

light('the extension is frozen in the midst of a POST: what the sender left then is not read on', OPTIONS, async (stand) => {
  const a = batch(0, 1_000);
  const pid = stand.platform.pids[NAME];
  await breaksOff(stand, a.body, a.upTo(400), async (client) => {
    await has(stand, 400)();
    process.kill(pid, 'SIGSTOP');
    client.socket.write(a.body.slice(a.upTo(400), a.upTo(900)));
    await frozen(400);
    client.socket.end();
    await closed(client);
    process.kill(pid, 'SIGCONT');
    await client.peerCloses();
  });
  await post(stand, a.body);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual([arrived.length, new Set(arrived).size], [1_000, 1_000]);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [1_000, 400, 0]);
});

for (const how of ['destroy', 'reset']) {
  const small = { ...CONTINUOUS, TELEMETRY_QUEUE_MAX_BYTES: String(1024 * 1024) };
  light(`the sender gives up while the queue is full (${how}), and sends again`, { ...OPTIONS, env: small }, async (stand) => {
    const a = batch(0, 30_000);
    const { fault } = stand.front;
    const held = [];
    stand.front.fault = (exchange) => {
      held.push(exchange);
      return true;
    };
    const client = await RawClient.connect(port(stand));
    client.socket.write(request(a.body));
    await stopsReading(stand.platform.pids[NAME]);
    const second = await RawClient.connect(port(stand));
    client[how]();
    second.socket.write(request(a.body));
    stand.front.fault = fault;
    held.forEach((exchange) => fault(exchange));
    await second.replies(1);
    assert.deepEqual(second.statuses, [200]);
    second.destroy();
    client.destroy();
    const { ledger, arrived } = await stand.finish();
    assert.deepEqual([arrived.length, new Set(arrived).size], [30_000, 30_000]);
    assert.deepEqual([ledger.received, ledger.duplicatesPossible], [30_000, 0]);
    assert.ok(ledger.repeated > 0, `${ledger.repeated} passed over`);
  });
}

/* Three hold all large buffers; one that has been silent for a second would lose its own to a fourth. */
light('a freeze makes no connection old', OPTIONS, async (stand) => {
  const large = (n) => `[{"time":"2026-11-20T10:00:00.123Z","type":"function","record":{"message":"large ${n} ${'x'.repeat(40_000)}"}}]`;
  const pid = stand.platform.pids[NAME];
  const clients = [];
  for (let n = 0; n < 3; n += 1) {
    const client = await RawClient.connect(port(stand));
    await client.write(request(large(n)).subarray(0, 20_000));
    clients.push(client);
  }
  await post(stand, '[]'); /* so that all of it has been read */
  process.kill(pid, 'SIGSTOP');
  await frozen(1_500);
  const fourth = await RawClient.connect(port(stand));
  await fourth.write(request(large(3)).subarray(0, 20_000));
  process.kill(pid, 'SIGCONT');
  await fourth.peerCloses();
  fourth.destroy();
  for (const [n, client] of clients.entries()) {
    await client.write(request(large(n)).subarray(20_000));
    await client.replies(1);
    assert.deepEqual(client.statuses, [200]);
    client.destroy();
  }
  const { arrived } = await stand.finish();
  assert.equal(arrived.length, 3);
});

/* 9 MB, of which more is taken than the listener can keep while it compares */
light('a long batch: what was taken is passed over in steps', {
  ...OPTIONS, env: { ...CONTINUOUS, TELEMETRY_QUEUE_MAX_BYTES: String(32 * 1024 * 1024) }
}, async (stand) => {
  const a = batch(0, 60_000);
  await breaksOff(stand, a.body, a.upTo(55_000), has(stand, 55_000));
  await post(stand, a.body);
  const { ledger, arrived } = await stand.finish();
  assert.deepEqual([arrived.length, new Set(arrived).size], [60_000, 60_000]);
  assert.deepEqual([ledger.received, ledger.repeated, ledger.duplicatesPossible], [60_000, 55_000, 0]);
});
