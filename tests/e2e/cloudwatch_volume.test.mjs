/*
 * TELEMETRY_RECORD_FORMAT=cloudwatch, 100,000 events through lost replies, records that fail and calls that do: each
 * published reader finds each line, byte for byte and with its time, under one id. What was counted is printed.
 *
 *   EVENTS=1000000 SEED=7 ./build.sh test e2e cloudwatch_volume
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as faults from './support/faults.mjs';
import { jsonRecords, loggableRecords, longLine, noisyRecords, textRecords } from './support/lines.mjs';
import { countEvents, idFaults, loggedEvents, messagesOf, namesOf } from './support/log_events.mjs';
import { READERS } from './support/readers.mjs';
import { allDelivered, data, log, useBench } from './support/scenario.mjs';

const EVENTS = Number(process.env.EVENTS ?? 100_000);
const SEED = Number(process.env.SEED ?? 1);
const PER_INVOCATION = 1_000;
/* Four times what 100,000 take on two processors that have much else to do. */
const TIMEOUT_MS = 600_000 * Math.max(1, EVENTS / 100_000);
const SETTINGS = {
  TELEMETRY_RECORD_FORMAT: 'cloudwatch',
  /* calls for each invocation, and several records in each, of which some fail */
  TELEMETRY_FLUSH: 'end',
  TELEMETRY_FLUSH_BUDGET_MS: '10000',
  TELEMETRY_AGGREGATION_MAX_BYTES: '20000',
  /* for what comes while calls fail: this is not about what then drops */
  TELEMETRY_QUEUE_MAX_BYTES: String(16 * 1024 * 1024)
};

const { scenario } = useBench({ timeoutMs: TIMEOUT_MS });

const number = (value) => value.toLocaleString('en');
const secondsSince = (start) => ((performance.now() - start) / 1_000).toFixed(1);

/* --- what is logged ------------------------------------------------------------------------------------ */

/* Lines of all kinds in any order, which each have their own number where they can have one. */
function linesOf(invocation, roll) {
  const name = (kind) => `${kind}-${invocation}`;
  const odd = loggableRecords.map(([, record]) => record);
  const long = invocation % 10 === 0 ? [longLine(64 * 1024, name('long')), longLine(250 * 1024, name('longer'))] : [];
  const noisy = noisyRecords(200, 300, name('noise'));
  const text = textRecords(300, 90, { prefix: name('text') });
  const json = jsonRecords(PER_INVOCATION - odd.length - long.length - noisy.length - text.length, 200, name('json'));
  return [...odd, ...long, ...noisy, ...text, ...json].map((one) => ({ one, at: roll() }))
    .sort((a, b) => a.at - b.at).map(({ one }) => one);
}

async function logAll(stand) {
  const roll = faults.dice(SEED);
  for (let left = EVENTS, i = 0; left > 0; left -= PER_INVOCATION, i += 1) {
    await log(stand, linesOf(i, roll).slice(0, left));
  }
}

/* --- what becomes of calls ----------------------------------------------------------------------------- */

/* [name, share, fault] */
function fates() {
  const partly = faults.failRecords(0.3, { seed: SEED });
  const lost = faults.close('before', { how: 'reset', accepted: true });
  return [
    ['reply lost, some records accepted', 0.15, (exchange) => partly(exchange) || lost(exchange)],
    ['reply cut off, all accepted', 0.1, faults.close('body', { how: 'reset', accepted: true })],
    ['500', 0.1, faults.refuse(500, 'InternalFailure')],
    ['500, all accepted', 0.05, async (exchange) => {
      await exchange.answer();
      return faults.refuse(500, 'InternalFailure')(exchange);
    }],
    ['some records fail', 0.35, partly],
    ['no fault', 0.25, () => false]
  ];
}

/* Each once at first, then as drawn. met counts them by name. */
function drawnFault() {
  const all = fates();
  const roll = faults.dice(SEED);
  const met = Object.fromEntries(all.map(([name]) => [name, 0]));
  let calls = 0;
  function draw() {
    let at = roll();
    return all.find(([, share]) => (at -= share) < 0) ?? all.at(-1);
  }
  return {
    met,
    fault: (exchange) => {
      const [name, , fault] = all[calls] ?? draw();
      calls += 1;
      met[name] += 1;
      return fault(exchange);
    }
  };
}

/* --- counting ------------------------------------------------------------------------------------------ */

/* The same for all readers: { different, doubles }. */
async function readByAll(expected, records) {
  const messages = messagesOf(records);
  const counts = [];
  for (const { name, read, skip } of READERS) {
    if (skip) {
      console.warn(`${name}: ${skip}`);
      continue;
    }
    const start = performance.now();
    const { different, doubles, faults: wrong } = countEvents(expected, messages, await read(records));
    assert.deepEqual(wrong, [], name);
    console.log(`  ${name}: ${number(different)} events, ${number(doubles)} doubles, ${secondsSince(start)} s`);
    counts.push({ different, doubles });
  }
  counts.forEach((one) => assert.deepEqual(one, counts[0]));
  return counts[0];
}

scenario(`published readers find each of ${number(EVENTS)} events, whatever became of calls`,
  { env: SETTINGS }, async (stand) => {
    const start = performance.now();
    const { met, fault } = drawnFault();
    stand.front.fault = fault;
    await logAll(stand);
    stand.front.fault = null;
    const { records, ledger } = await allDelivered(stand, EVENTS);
    const { retried, duplicatesPossible } = ledger;
    console.log(`${number(EVENTS)} events in ${number(records.length)} records, seed ${SEED}, ${secondsSince(start)} s; ` +
      `${number(retried)} retried, ${number(duplicatesPossible)} doubles possible;`);
    console.log(`  calls: ${Object.entries(met).map(([name, count]) => `${count} ${name}`).join('; ')}`);
    const logged = loggedEvents(stand.platform.events);
    assert.equal(logged.length, EVENTS);
    const { different, doubles } = await readByAll({ logged, names: namesOf(stand) }, data(records));
    assert.equal(different, EVENTS);
    assert.ok(doubles > 0 && doubles <= duplicatesPossible, `${doubles} doubles, possible are ${duplicatesPossible}`);
    assert.ok(retried > 0 && Object.values(met).every((count) => count > 0), 'too few calls to meet each fault');
  });

/* --- what counting notices ----------------------------------------------------------------------------- */

const NAMES = { owner: '123456789012', type: 'DATA_MESSAGE', group: '/aws/lambda/f', stream: 's', filters: ['x'] };
const TIME = 1_795_000_000_000;
const idOf = (record, event) => String((BigInt(TIME + record) << 144n) + BigInt(event)).padStart(56, '0');

/* Three records of three events each. */
function sample() {
  return [0, 10, 20].map((record) => ({
    owner: NAMES.owner, messageType: NAMES.type, logGroup: NAMES.group, logStream: NAMES.stream,
    subscriptionFilters: NAMES.filters,
    logEvents: [0, 1, 2].map((i) => ({ id: idOf(record, i), timestamp: TIME + record + i, message: `${record} ${i}\n` }))
  }));
}

/* What the extension, or a reader, might do to them: (messages, event) changes them; event is the fifth. */
const WRONGS = [
  ['a line is lost', (messages) => messages[1].logEvents.splice(1, 1), /^1 lines lost/u],
  ['a record is lost', (messages) => messages.pop(), /^3 lines lost/u],
  ['a byte is another one', (_, event) => { event.message = '10 8\n'; }, /^1 lines lost.*^1 lines that nobody logged/msu],
  ['a newline is missing', (_, event) => { event.message = '10 1'; }, /^1 lines lost.*^1 lines that nobody logged/msu],
  ['a time is another one', (_, event) => { event.timestamp += 1; }, /^1 lines lost.*^1 lines that nobody logged/msu],
  ['a line that nobody logged', (messages) => messages[1].logEvents.push(
    { id: idOf(10, 3), timestamp: TIME + 10, message: 'who?\n' }), /^1 lines that nobody logged/u],
  ['two lines have one id', (_, event) => { event.id = idOf(10, 0); }, /^1 ids that are none.*^1 ids of two events/msu],
  ['two records have the same ids', (messages) => messages[2].logEvents.forEach((one, i) => {
    one.id = idOf(10, i);
  }), /^3 ids that are none.*^3 ids of two events/msu],
  ['what comes again has other ids', (messages) => {
    const again = sample()[1];
    again.logEvents.forEach((one, i) => {
      one.id = idOf(10, i + 3);
    });
    messages.push(again);
  }, /^3 lines twice, each time with an id of its own/u],
  ['what comes again has another time', (messages) => {
    const again = sample()[1];
    again.logEvents[2].timestamp += 1;
    messages.push(again);
  }, /^1 ids of two events that differ/u],
  ['ids that do not increase', (messages) => messages[1].logEvents.reverse(), /^3 ids that are none/u],
  ['an id of 55 digits', (_, event) => { event.id = event.id.slice(1); }, /^1 ids that are none/u],
  ['an id of another millisecond', (_, event) => { event.id = idOf(11, 1); }, /^2 ids that are none/u],
  ['another log stream', (messages) => { messages[2].logStream = 't'; }, /^3 events with other names/u],
  ['another owner', (messages) => { messages[2].owner = '123456789013'; }, /^3 events with other names/u]
];

function countedWith(change) {
  const messages = sample();
  const logged = messages.flatMap(({ logEvents }) => logEvents)
    .map(({ timestamp, message }) => ({ timestamp, message }));
  change(messages, messages[1].logEvents[1]);
  const records = messages.map((one) => gzipSync(JSON.stringify(one)));
  return { expected: { logged, names: NAMES }, messages: messagesOf(records), records };
}

for (const [what, change, wanted] of WRONGS) {
  test(`counting notices: ${what}`, () => {
    const { expected, messages, records } = countedWith(change);
    const { faults: wrong } = countEvents(expected, messages, READERS[0].read(records));
    assert.match(wrong.join('\n'), wanted);
  });
}

test('counting notices: a reader that reads an id otherwise, or leaves an event out', () => {
  const { expected, messages, records } = countedWith(() => {});
  const events = READERS[0].read(records);
  const other = countEvents(expected, messages, events.map((one, i) => i === 4 ? { ...one, id: idOf(10, 9) } : one));
  assert.match(other.faults.join('\n'), /^1 ids read otherwise/u);
  assert.match(countEvents(expected, messages, events.slice(0, -1)).faults.join('\n'), /^8 events read of 9/u);
});

/* Which the strict reader refuses itself. */
test('counting notices: a record without an event', () => {
  assert.match(idFaults([{ logEvents: [] }]).join('\n'), /^1 records without an event/u);
});

test('counting takes what comes again for a double', () => {
  const { expected, messages, records } = countedWith((all) => all.push(all[1], all[0]));
  const count = countEvents(expected, messages, READERS[0].read(records));
  assert.deepEqual(count, { different: 9, doubles: 6, faults: [] });
});
