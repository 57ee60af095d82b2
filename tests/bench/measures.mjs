/*
 * What is read off the runs: one row each, and one panel of the plot.
 *
 *   case    its name on the command line
 *   id      its name in the JSON file and in limits.mjs
 *   run     of runs.mjs
 *   values  of one round's figures: numbers
 */
import { BURST, FORMS, VOLUME_INVOCATIONS, VOLUME_SIZES, volumeRun } from './runs.mjs';

const each = (value) => (figures) => [value(figures)];
const mark = (events) => (figures) => figures.marks.find((one) => one.events >= events);
const kinds = [['200', 'load200', '200 bytes'], ['2000', 'load2000', '2 KB']];

/* The first invocation has what comes with any first one, and is left out. */
const holds = (figures) => figures.holdsMs.slice(1);

const moved = ({ sink }, bytes) => bytes / sink.records;
const payload = ({ sink }) => sink.dataBytes + sink.keyBytes;

const measure = (name, id, run, [title, unit, digits], values) =>
  ({ case: name, id, run, title, unit, digits, values });
const peak = (when) => [`peak memory: ${when}`, 'MB', 2];
const cpu = (what, from) => [`CPU for 100,000 events of ${what}, ${from}`, 's', 4];

export const MEASURES = [
  measure('cold', 'register', 'cold', ['exec to register', 'ms', 2], each((f) => f.registerMs)),
  measure('cold', 'next', 'cold', ['exec to the first next', 'ms', 2], each((f) => f.nextMs)),

  measure('memory', 'memoryReady', 'load200', peak('ready, the TLS connection to Kinesis open'),
    each((f) => f.ready.peakKb / 1024)),
  measure('memory', 'memory10k', 'load200', peak('after 10,000 events'), each((f) => mark(10_000)(f).peakKb / 1024)),
  measure('memory', 'memory100k', 'load200', peak('after 100,000 events'), each((f) => mark(100_000)(f).peakKb / 1024)),

  ...kinds.flatMap(([id, run, what]) => [
    measure('cpu', `cpu${id}`, run, cpu(what, 'start to end'), each((f) => f.cpuS)),
    measure('cpu', `cpuLoad${id}`, run, cpu(what, 'since ready'), each((f) => f.cpuLoadS))
  ]),

  measure('rate', 'rate', 'rate', ['rate at which all that is posted arrives', 'events/s', 0],
    each((f) => f.events / f.loadS)),

  ...kinds.flatMap(([id, run, what]) => [
    measure('wire', `wire${id}`, run, [`sent to Kinesis for an event of ${what}, TLS included`, 'bytes', 1],
      each((f) => moved(f, f.sink.bytesIn))),
    measure('wire', `wireRatio${id}`, run, ['the same, over data and partition key', 'ratio', 3],
      each((f) => f.sink.bytesIn / payload(f))),
    measure('wire', `wireBack${id}`, run, [`received from Kinesis for an event of ${what}`, 'bytes', 1],
      each((f) => moved(f, f.sink.bytesOut))),
    measure('wire', `requests${id}`, run, [`requests for 10,000 events of ${what}`, 'requests', 1],
      each((f) => (f.sink.requests * 10_000) / f.sink.records))
  ]),

  ...[0, 5, 20].map((delay) =>
    measure('hold', `hold${delay}`, `hold${delay}`,
      [`runtimeDone to next, 10 events, Kinesis answers after ${delay} ms`, 'ms', 2], holds)),

  ...Object.entries({
    All: 'nothing set', Level: 'a level', Comparisons: 'three comparisons', Tenth: 'a pattern that wants one in ten'
  }).map(([id, what]) => measure('selection', `cpu${id}`, `selection ${id.toLowerCase()}`,
    [`CPU for 100,000 objects of 200 bytes, ${what}`, 's', 4], each((f) => f.cpuLoadS))),

  measure('shutdown', 'shutdown', 'light', ['SHUTDOWN to exit, nothing pending', 'ms', 2], each((f) => f.shutdownMs))
];

export const GROWTH = ['growth1k', 'growth10k', 'growth100k', 'growth1M'];

export const CASES = ['cold', 'memory', 'cpu', 'rate', 'wire', 'hold', 'shutdown', 'size', 'growth', 'volume', 'selection', 'micro'];

/* The runs that a choice of cases needs, in the order of RUNS. */
export function runsFor(cases, names) {
  const wanted = new Set(MEASURES.filter((one) => cases.includes(one.case)).map((one) => one.run));
  if (cases.includes('growth')) {
    GROWTH.forEach((name) => wanted.add(name));
  }
  return names.filter((name) => wanted.has(name) || (cases.includes('volume') && name.startsWith('volume')));
}

function middle(sorted) {
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* { median, min, max, values }, or null of nothing. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : { median: middle(sorted), min: sorted[0], max: sorted.at(-1), values };
}

/* The measures of the cases, each with { subject: summary }. */
export function evaluate(cases, results) {
  return MEASURES.filter((one) => cases.includes(one.case)).map(({ values, ...rest }) => ({
    ...rest,
    subjects: Object.fromEntries(Object.entries(results[rest.run] ?? {}).map(
      ([name, rounds]) => [name, summary(rounds.flatMap(values))]).filter(([, one]) => one))
  }));
}

const MILLION = 1_000_000;

/* What records come to for a million events, by the size of lines, how many an invocation has, and their form. */
export function volume(results) {
  return VOLUME_SIZES.flatMap((size) => VOLUME_INVOCATIONS.flatMap((perInvocation) =>
    Object.keys(FORMS).flatMap((form) => Object.entries(results[volumeRun(size, perInvocation, form)] ?? {})
      .filter(([, rounds]) => rounds.length > 0).map(([subject, rounds]) => {
      const [{ events, sink, marks: [{ peakKb }] }] = rounds;
      const of = (value) => summary(rounds.flatMap(value)).median;
      const million = (count) => (count * MILLION) / events;
      return {
        size, perInvocation, form, subject,
        records: million(sink.entries), bytes: million(sink.dataBytes + sink.keyBytes),
        units1k: million(sink.units1k), units5k: million(sink.units5k), units25k: million(sink.units25k),
        wireBytes: sink.bytesIn / events, cpuSeconds: (of((f) => [f.cpuLoadS]) * 100_000) / events,
        holdMs: of(holds), peakMb: peakKb / 1024
      };
    }))));
}

/* How long an invocation of 5,000 lines is held while Kinesis takes its time, by form. */
export function bursts(results) {
  return Object.fromEntries(Object.keys(FORMS).flatMap((form) => {
    const rounds = results[`${BURST} ${form}`]?.ours ?? [];
    return rounds.length > 0 ? [[form, summary(rounds.flatMap(holds)).median]] : [];
  }));
}

/* A row for each number of events, ours alone. */
export function growth(results) {
  return GROWTH.filter((name) => results[name]?.ours?.length > 0).map((name) => {
    const rounds = results[name].ours;
    const of = (value) => summary(rounds.map(value)).median;
    const [{ events }] = rounds;
    const [seconds, cpu] = [of((f) => f.loadS), of((f) => f.cpuLoadS)];
    return {
      events, rounds: rounds.length, seconds, cpuSeconds: cpu, peakMb: of((f) => f.marks[0].peakKb / 1024),
      microseconds: (seconds * 1e6) / events, cpuMicroseconds: (cpu * 1e6) / events
    };
  });
}
