/*
 * Log events that readers have found in records of the format `cloudwatch`, against what the function logged.
 *
 *   const messages = messagesOf(records);                    // [{ messageType, owner, …, logEvents }], from Buffers
 *   const logged = loggedEvents(stand.platform.events);      // [{ timestamp, message }]
 *   const { different, doubles, faults } = countEvents({ logged, names }, messages, events);
 *
 * faults are texts, at most one of each kind; none: all is as it has to be.
 */
import { asMessage, unfold } from './forms.mjs';
import { compare } from './tally.mjs';

/* Bits of an id below the milliseconds. */
const ID_TIME_BIT = 144n;

export function messagesOf(records) {
  return unfold({ gzip: true }, records).map((bytes) => JSON.parse(bytes.toString()));
}

/* What of the platform's events the function logged, as it has to be in log events. */
export function loggedEvents(events) {
  return events.filter((one) => one.category === 'function')
    .map((one) => ({ timestamp: Date.parse(one.time), message: asMessage(one.bytes.toString()) }));
}

/* Names that each message has to have, as readers give them with each log event. */
export function namesOf(stand) {
  const { record } = stand.platform.events.find((one) => one.type === 'platform.initStart');
  return { owner: '123456789012', type: 'DATA_MESSAGE', group: '/aws/lambda/local-function', stream: record.instanceId,
    filters: ['kinesis-telemetry-api-extension'] };
}

function found(what, list) {
  return list.length > 0 ? [`${list.length} ${what}, such as ${String(list[0]).slice(0, 200)}`] : [];
}

/* Within a record ids have 56 digits, increase, and begin with the milliseconds of its first event. */
export function idFaults(messages) {
  const wrong = ({ id }, i, all) => !/^\d{56}$/u.test(id) || (i > 0 && BigInt(id) <= BigInt(all[i - 1].id)) ||
    BigInt(id) >> ID_TIME_BIT !== BigInt(all[0].timestamp);
  const faulty = messages.flatMap(({ logEvents }) => logEvents.filter(wrong));
  return [
    /* which OpenTelemetry refuses */
    ...found('records without an event', messages.filter(({ logEvents }) => logEvents.length === 0)),
    ...found('ids that are none of such a record', faulty.map(({ id }) => id))
  ];
}

/* Each id has one line, time and name, however often it comes. */
function byId(events) {
  const firsts = new Map();
  const others = [];
  for (const one of events) {
    const text = JSON.stringify(one);
    const first = firsts.get(one.id);
    if (!first) {
      firsts.set(one.id, { one, text });
    } else if (first.text !== text) {
      others.push(one.id);
    }
  }
  return { firsts: [...firsts.values()].map(({ one }) => one), others };
}

function nameFaults(names, events) {
  const wanted = JSON.stringify(names);
  const told = ({ owner, type, group, stream, filters }) => JSON.stringify({ owner, type, group, stream, filters });
  return found('events with other names', events.map(told).filter((one) => one !== wanted));
}

/* That a line comes twice under one id is a double; under two it is a fault. */
function lineFaults(logged, events) {
  const line = ({ timestamp, message }) => `${timestamp} ${message}`;
  const { lost, duplicated, foreign } = compare(logged.map(line), events.map(line));
  return [
    ...found('lines lost, by their time and bytes', lost),
    ...found('lines twice, each time with an id of its own', duplicated),
    ...found('lines that nobody logged, by their time and bytes', foreign)
  ];
}

/*
 * logged     as of loggedEvents
 * names      as of namesOf
 * messages   of all records; what a reader found in the same ones is `events` (readers.mjs)
 *
 * Returns how many ids there are (different), how many events have one that came before (doubles), and faults.
 */
export function countEvents({ logged, names }, messages, events) {
  const ids = messages.flatMap(({ logEvents }) => logEvents.map(({ id }) => id));
  const { firsts, others } = byId(events);
  return {
    different: firsts.length, doubles: events.length - firsts.length,
    faults: [
      ...idFaults(messages),
      ...events.length === ids.length ? [] : [`${events.length} events read of ${ids.length}`],
      ...found('ids read otherwise than they stand in the records', ids.filter((id, i) => id !== events[i]?.id)),
      ...found('ids of two events that differ', others),
      ...nameFaults(names, firsts),
      ...lineFaults(logged, firsts)
    ]
  };
}
