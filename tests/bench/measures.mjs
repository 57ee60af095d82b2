/*
 * What is read off the runs: one row each, and one panel of the plot.
 *
 *   case    its name on the command line
 *   id      its name in the JSON file and in limits.mjs
 *   run     of runs.mjs
 *   values  of one round's figures: numbers
 */
const each = (value) => (figures) => [value(figures)];
const mark = (events) => (figures) => figures.marks.find((one) => one.events >= events);
const kinds = [['200', 'load200', '200 bytes'], ['2000', 'load2000', '2 KB']];

/* The first invocation has what comes with any first one, and is left out. */
const holds = (figures) => figures.holdsMs.slice(1);

const moved = ({ sink }, bytes) => bytes / sink.records;
const payload = ({ sink }) => sink.dataBytes + sink.keyBytes;

const ready = 'ready, the TLS connection to Kinesis open';

export const MEASURES = [
  { case: 'cold', id: 'register', run: 'cold', title: 'exec to register', unit: 'ms', digits: 2, values: each((f) => f.registerMs) },
  { case: 'cold', id: 'next', run: 'cold', title: 'exec to the first next', unit: 'ms', digits: 2, values: each((f) => f.nextMs) },

  { case: 'memory', id: 'memoryReady', run: 'load200', title: `peak memory: ${ready}`, unit: 'MB', digits: 2, values: each((f) => f.ready.peakKb / 1024) },
  { case: 'memory', id: 'memory10k', run: 'load200', title: 'peak memory: after 10,000 events', unit: 'MB', digits: 2, values: each((f) => mark(10_000)(f).peakKb / 1024) },
  { case: 'memory', id: 'memory100k', run: 'load200', title: 'peak memory: after 100,000 events', unit: 'MB', digits: 2, values: each((f) => mark(100_000)(f).peakKb / 1024) },

  ...kinds.flatMap(([id, run, what]) => [
    { case: 'cpu', id: `cpu${id}`, run, title: `CPU for 100,000 events of ${what}, start to end`, unit: 's', digits: 4, values: each((f) => f.cpuS) },
    { case: 'cpu', id: `cpuLoad${id}`, run, title: `CPU for 100,000 events of ${what}, since ready`, unit: 's', digits: 4, values: each((f) => f.cpuLoadS) }
  ]),

  { case: 'rate', id: 'rate', run: 'rate', title: 'rate at which all that is posted arrives', unit: 'events/s', digits: 0, more: true, values: each((f) => f.events / f.loadS) },

  ...kinds.flatMap(([id, run, what]) => [
    { case: 'wire', id: `wire${id}`, run, title: `sent to Kinesis for an event of ${what}, TLS included`, unit: 'bytes', digits: 1, values: each((f) => moved(f, f.sink.bytesIn)) },
    { case: 'wire', id: `wireRatio${id}`, run, title: `the same, over data and partition key`, unit: 'ratio', digits: 3, values: each((f) => f.sink.bytesIn / payload(f)) },
    { case: 'wire', id: `wireBack${id}`, run, title: `received from Kinesis for an event of ${what}`, unit: 'bytes', digits: 1, values: each((f) => moved(f, f.sink.bytesOut)) },
    { case: 'wire', id: `requests${id}`, run, title: `requests for 10,000 events of ${what}`, unit: 'requests', digits: 1, values: each((f) => (f.sink.requests * 10_000) / f.sink.records) }
  ]),

  ...[0, 5, 20].map((delay) => (
    { case: 'hold', id: `hold${delay}`, run: `hold${delay}`, title: `runtimeDone to next, 10 events, Kinesis answers after ${delay} ms`, unit: 'ms', digits: 2, values: holds }
  )),

  { case: 'shutdown', id: 'shutdown', run: 'light', title: 'SHUTDOWN to exit, nothing pending', unit: 'ms', digits: 2, values: each((f) => f.shutdownMs) }
];

export const GROWTH = ['growth1k', 'growth10k', 'growth100k', 'growth1M'];

export const CASES = ['cold', 'memory', 'cpu', 'rate', 'wire', 'hold', 'shutdown', 'size', 'growth', 'micro'];

/* The runs that a choice of cases needs, in the order of RUNS. */
export function runsFor(cases, names) {
  const wanted = new Set(MEASURES.filter((measure) => cases.includes(measure.case)).map((measure) => measure.run));
  if (cases.includes('growth')) {
    GROWTH.forEach((name) => wanted.add(name));
  }
  return names.filter((name) => wanted.has(name));
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
  return MEASURES.filter((measure) => cases.includes(measure.case)).map(({ values, ...measure }) => ({
    ...measure,
    subjects: Object.fromEntries(Object.entries(results[measure.run] ?? {}).map(
      ([name, rounds]) => [name, summary(rounds.flatMap(values))]).filter(([, one]) => one))
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
