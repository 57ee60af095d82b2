/*
 * What the project promises of itself, checked against what was measured. A row whose figures are missing is
 * left out: its case was not asked for, or the rival cannot be had here.
 */

/* Medians by subject, of one measure. */
function medians(measures, id) {
  const measure = measures.find((one) => one.id === id);
  return Object.fromEntries(Object.entries(measure?.subjects ?? {}).map(([name, { median }]) => [name, median]));
}

/* { name, value, limit, unit, ok, most }: value <= limit, or >= when `most` is false. */
function row(name, value, limit, unit, most = true) {
  return Number.isFinite(value) ? [{ name, value, limit, unit, most, ok: most ? value <= limit : value >= limit }] : [];
}

/* The subject's figure over ours is so much at least. */
function times(measures, id, what, rivals) {
  const of = medians(measures, id);
  return Object.entries(rivals).flatMap(([name, least]) =>
    row(`${what}: ${name} over ours`, of[name] / of.ours, least, 'times', false));
}

function cold(measures) {
  const of = medians(measures, 'next');
  return [
    ...row('exec to next: ours over empty', of.ours / of.empty, 1.25, 'times'),
    ...times(measures, 'next', 'exec to next', { node: 15, go: 1, rust: 1 }),
    ...row('exec to next: launcher less ours', of.launcher - of.ours, 2, 'ms')
  ];
}

function memory(measures) {
  return [
    ...row('memory when ready', medians(measures, 'memoryReady').ours, 1.2, 'MB'),
    ...row('memory after 100,000 events', medians(measures, 'memory100k').ours, 3, 'MB'),
    ...times(measures, 'memoryReady', 'memory when ready', { node: 30 }),
    ...times(measures, 'memory100k', 'memory after 100,000 events', { node: 30 })
  ];
}

function cpu(measures) {
  return [
    ...row('CPU for 100,000 events of 200 bytes', medians(measures, 'cpu200').ours, 0.05, 's'),
    ...times(measures, 'cpu200', 'CPU for 100,000 of 200 bytes', { node: 15, go: 3, rust: 3 }),
    ...row('CPU for 100,000 events of 2 KB', medians(measures, 'cpu2000').ours, 0.25, 's')
  ];
}

function hold(measures) {
  return [0, 5, 20].flatMap((delay) =>
    row(`hold, Kinesis answers after ${delay} ms`, medians(measures, `hold${delay}`).ours, delay + 1.5, 'ms'));
}

/* The best of the micro-benchmarks whose name fits, in the unit given. */
function best(micro, pattern, unit) {
  const found = micro.filter((one) => pattern.test(one.measure) && one.unit === unit).map((one) => one.value);
  const pick = unit === 'ms' ? Math.min : Math.max;
  return found.length > 0 ? pick(...found) : NaN;
}

function small(micro) {
  const gigabytes = (pattern) => best(micro, pattern, 'GB/s');
  const avx2OverBearSsl = gigabytes(/sha256 avx2 16/) / gigabytes(/sha256 bearssl 16/);
  return [
    ...row('splitter', gigabytes(/splitter/i), 1.5, 'GB/s', false),
    ...row('SHA-256', gigabytes(/sha-?256/i), 1.5, 'GB/s', false),
    ...row('SHA-256 of 16 KiB: AVX2 over BearSSL', avx2OverBearSsl, 1.6, 'times', false),
    ...row('PutRecords of 500 × 200 bytes', best(micro, /put_?records/i, 'ms'), 0.3, 'ms')
  ];
}

/* What the forms of records save, and may cost, against one event a record in the same run. */
function volume(rows, bursts) {
  const of = (size, perInvocation, form) => rows.find((one) =>
    one.size === size && one.perInvocation === perInvocation && one.form === form && one.subject === 'ours') ?? {};
  const over = (what, size, perInvocation, form) =>
    of(size, perInvocation, form)[what] / of(size, perInvocation, 'one event')[what];
  const both = 'lines, gzip';
  return [
    ...row('units of 1 KB, 1,000 lines of 200 bytes: lines', over('units1k', 200, 1000, 'lines'), 1 / 5, 'times'),
    ...row(`units of 1 KB, 1,000 lines of 200 bytes: ${both}`, over('units1k', 200, 1000, both), 1 / 22, 'times'),
    ...row(`units of 1 KB, 10 lines of 200 bytes: ${both}`, over('units1k', 200, 10, both), 1 / 8, 'times'),
    ...row('units of 1 KB, 1,000 lines of 200 bytes: cloudwatch', over('units1k', 200, 1000, 'cloudwatch'), 1 / 18, 'times'),
    ...row('units of 1 KB, 10 lines of 200 bytes: cloudwatch', over('units1k', 200, 10, 'cloudwatch'), 1 / 5, 'times'),
    ...row('CPU, 1,000 lines of 200 bytes: cloudwatch', over('cpuSeconds', 200, 1000, 'cloudwatch'), 2, 'times'),
    ...row('hold, 10 lines of 200 bytes: cloudwatch adds',
      of(200, 10, 'cloudwatch').holdMs - of(200, 10, 'one event').holdMs, 0.3, 'ms'),
    ...row('CPU, 1,000 lines of 200 bytes: lines', over('cpuSeconds', 200, 1000, 'lines'), 0.7, 'times'),
    ...row(`CPU, 1,000 lines of 200 bytes: ${both}`, over('cpuSeconds', 200, 1000, both), 1.2, 'times'),
    ...row('hold, 10 lines of 200 bytes: lines add',
      of(200, 10, 'lines').holdMs - of(200, 10, 'one event').holdMs, 0.2, 'ms'),
    ...[[10, 0.2], [1000, 2]].flatMap(([perInvocation, ms]) => row(`hold, ${perInvocation} lines of 200 bytes: gzip adds`,
      of(200, perInvocation, both).holdMs - of(200, perInvocation, 'lines').holdMs, ms, 'ms')),
    ...row('hold, 5,000 lines of 200 bytes: lines', bursts.lines / bursts['one event'], 1 / 3, 'times'),
    ...rows.filter(({ subject, form }) => subject === 'ours' && form !== 'one event').flatMap(
      ({ size, perInvocation, form, peakMb }) => perInvocation === 1000 && size === 200 ?
          row(`memory after 100,000 lines of 200 bytes: ${form}`, peakMb, 1.5, 'MB') : [])
  ];
}

/* Of the encoder over zlib at level 1, for each corpus and size of block: how fast it is, and how large the result. */
function gzipOverZlib(micro) {
  const values = new Map(micro.map(({ measure, value }) => [measure, value]));
  return [...values.keys()].filter((name) => /^gzip ours .* KiB$/.test(name)).map((name) => {
    const zlib = name.replace('ours', 'zlib-1');
    return {
      corpus: name.replace('gzip ours ', ''),
      speed: values.get(name) / values.get(zlib),
      size: values.get(`${zlib} ratio`) / values.get(`${name} ratio`)
    };
  });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function gzip(micro) {
  const all = gzipOverZlib(micro);
  return [
    ...all.flatMap(({ corpus, speed, size }) => [
      ...row(`gzip over zlib 1, speed, ${corpus}`, speed, 1.6, 'times', false),
      ...row(`gzip over zlib 1, size, ${corpus}`, size, 1.05, 'times')
    ]),
    ...row('gzip over zlib 1, speed, median', median(all.map(({ speed }) => speed)), 1.9, 'times', false)
  ];
}

export function limits(measures, micro, volumes, bursts) {
  return [
    ...cold(measures), ...memory(measures), ...cpu(measures),
    ...row('sent over data and key, 200 bytes', medians(measures, 'wireRatio200').ours, 1.1, 'times'),
    ...hold(measures), ...volume(volumes, bursts), ...small(micro), ...gzip(micro)
  ];
}
