/*
 * The results as text: one block for each table.
 */

/* Rows of cells; the first column is text, the others are numbers. An empty row is an empty line. */
export function table(rows) {
  const full = rows.filter((row) => row.length > 0);
  const widths = full[0].map((_, column) => Math.max(...full.map((row) => [...String(row[column])].length)));
  const cell = (text, column) => String(text)[column === 0 ? 'padEnd' : 'padStart'](widths[column]);
  return rows.map((row) => (row.length > 0 ? `  ${row.map(cell).join('  ')}`.trimEnd() : '')).join('\n');
}

export function number(value, digits) {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/* A ratio with as many digits as one reads of it. */
function ratio(value) {
  return `× ${number(value, value < 10 ? 2 : value < 100 ? 1 : 0)}`;
}

function measureRows({ title, unit, digits, subjects }) {
  const ours = subjects.ours?.median;
  return [
    [`${title}, ${unit}`, 'median', 'min', 'max', 'to ours'],
    ...Object.entries(subjects).map(([name, { median, min, max }]) => [
      `  ${name}`, ...[median, min, max].map((value) => number(value, digits)),
      ours > 0 && name !== 'ours' ? ratio(median / ours) : ''
    ])
  ];
}

export function measuresText(measures) {
  return table(measures.map(measureRows).flatMap((rows, i) => (i > 0 ? [[], ...rows] : rows)));
}

export function sizesText(sizes) {
  return table([['size, bytes', 'file', 'deflated'], ...sizes.map(({ name, bytes, deflated }) => [
    name, number(bytes, 0), deflated === null ? '' : number(deflated, 0)])]);
}

export function growthText(rows) {
  return table([
    ['growth, ours', 'seconds', 'CPU s', 'peak MB', 'µs/event', 'CPU µs/event', 'runs'],
    ...rows.map((row) => [
      `${number(row.events, 0)} events`, number(row.seconds, 4), number(row.cpuSeconds, 4), number(row.peakMb, 2),
      number(row.microseconds, 3), number(row.cpuMicroseconds, 3), row.rounds
    ])
  ]);
}

export function volumeText(rows, bursts) {
  const cells = rows.map((row) => [
    `${row.perInvocation} lines of ${row.size} bytes: ${row.subject === 'ours' ? row.form : row.subject}`,
    ...[row.records, row.bytes / 1e6, row.units1k, row.units5k, row.units25k].map((value) => number(value, 0)),
    number(row.wireBytes, 1), number(row.cpuSeconds, 3), number(row.holdMs, 2), number(row.peakMb, 2)
  ]);
  return [
    table([['volume of a million events, an invocation of', 'records', 'MB', '1 KB', '5 KB', '25 KB', 'wire bytes/event',
      'CPU s/100,000', 'hold ms', 'peak MB'], ...cells]),
    table([['5,000 lines of 200 bytes, Kinesis answers after 20 ms', 'hold ms'],
      ...Object.entries(bursts).map(([form, ms]) => [form, number(ms, 1)])])
  ].join('\n\n');
}

export function microText(rows) {
  const cells = rows.map(({ measure, value, unit }) => [measure, number(value, 4), unit]);
  return table([['micro', 'value', 'unit'], ...cells]);
}

/* How far the host is from being what is measured. */
export function ceilingsText(ceilings, rates) {
  const fastest = Math.max(0, ...Object.values(rates).map(({ median }) => median));
  return table([
    ['the host by itself', 'events/s', 'of the fastest'],
    ...Object.entries(ceilings).map(([name, { median }]) =>
      [name, number(median, 0), fastest > 0 ? ratio(median / fastest) : ''])
  ]);
}

export function limitsText(rows) {
  const digits = ({ unit }) => (unit === 's' ? 3 : 2);
  return table([
    ['limits', 'value', 'limit', ''],
    ...rows.map((row) => [
      row.name, `${number(row.value, digits(row))} ${row.unit}`,
      `${row.most ? '≤' : '≥'} ${number(row.limit, digits(row))}`, row.ok ? 'ok' : 'OVER'
    ])
  ]);
}
