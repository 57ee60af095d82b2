#!/usr/bin/env node
/*
 * A function's log lines on their way into a Kinesis stream, counted at both ends.
 *
 * kinesis-local is the stream, with a certificate made for this run; the local Lambda platform runs the
 * extension beside a function; the AWS SDK reads the stream back. Exit status 0: every line arrived
 * once. 1: not so. 2: wrong options.
 */
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/* The SDK's announcement about old versions of Node belongs to its users, not into our output. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { Platform } = await import('../platform/platform.mjs');
const { Certificates } = await import('./support/certificates.mjs');
const { removeFolder } = await import('./support/folder.mjs');
const { Kinesis } = await import('./support/kinesis.mjs');
const { BINARY, KEEP, NAME, extensionLogs, extensionsFolder, kinesisEnvironment } = await import('./support/stand.mjs');
const { compare } = await import('./support/tally.mjs');

const HELP = `usage: demo.mjs [option ...] [BOOTSTRAP]

Runs two example functions, or the one whose bootstrap is given, on the local Lambda platform with the
extension, and shows that what they log arrives in a Kinesis stream.

  --invocations N      of each function; default 5
  --event JSON         the payload; default {"lines":20}
  --handler NAME       _HANDLER of BOOTSTRAP; default handler.handler
  --log-format FORMAT  of BOOTSTRAP: Text (default) or JSON
  --records N          how many records of each stream to show; default 3
  --verbose            the extension's own log lines too
  --help
`;

const examples = fileURLToPath(new URL('../platform/examples/', import.meta.url));
const EXAMPLES = [
  { name: 'node (JSON logs)', bootstrap: `${examples}node/bootstrap`, handler: 'handler.handler', logFormat: 'JSON' },
  { name: 'shell (text logs)', bootstrap: `${examples}shell/bootstrap`, handler: 'handler.handler', logFormat: 'Text' }
];

function wholeNumber(name, text) {
  if (!/^\d{1,6}$/.test(text)) {
    throw new TypeError(`--${name} must be a whole number, not ${text}`);
  }
  return Number(text);
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      invocations: { type: 'string', default: '5' }, event: { type: 'string', default: '{"lines":20}' },
      handler: { type: 'string', default: 'handler.handler' }, 'log-format': { type: 'string', default: 'Text' },
      records: { type: 'string', default: '3' }, verbose: { type: 'boolean' }, help: { type: 'boolean' }
    }
  });
  if (positionals.length > 1) {
    throw new TypeError('one BOOTSTRAP at most');
  }
  const own = positionals.map((path) => ({
    name: basename(resolve(path, '..')), bootstrap: resolve(path), handler: values.handler,
    logFormat: values['log-format']
  }));
  return {
    help: values.help, verbose: values.verbose,
    invocations: wholeNumber('invocations', values.invocations),
    shown: wholeNumber('records', values.records),
    payload: JSON.parse(values.event),
    functions: own.length > 0 ? own : EXAMPLES
  };
}

/* What format `message` makes of a log event, written in one way only so that it can be compared. */
function expected({ record }) {
  if (typeof record === 'string') {
    return JSON.stringify(record.replace(/\n$/, ''));
  }
  return JSON.stringify(record?.message ?? record);
}

function canonical(data) {
  try {
    return JSON.stringify(JSON.parse(data));
  } catch {
    return data.toString();
  }
}

/* Runs one function to its end. Returns what was seen at each station. */
async function run(fn, stream, { kinesis, caBundle, extensions, invocations, payload, verbose }) {
  await kinesis.createStream(stream, 4);
  const platform = await Platform.start({
    extensions, bootstrap: fn.bootstrap, handler: fn.handler, logFormat: fn.logFormat, functionName: stream,
    /* kinesis-local is slower than Kinesis, and this machine may be slower than Lambda. */
    initTimeoutMs: 60_000, shutdownMs: 30_000, deliver: KEEP,
    env: {
      ...await kinesisEnvironment({ url: `https://localhost:${kinesis.tlsPort}`, caBundle, stream }),
      TELEMETRY_CONNECT_TIMEOUT_MS: '10000', TELEMETRY_REQUEST_TIMEOUT_MS: '10000', TELEMETRY_LOG_LEVEL: 'info'
    },
    onLine: (source, line) => verbose && source === NAME && console.error(String(line))
  });
  const failed = [];
  try {
    for (let i = 0; i < invocations; i += 1) {
      const { error } = await platform.invoke(payload);
      failed.push(...error ? [`${error.errorType}: ${error.errorMessage}`] : []);
    }
    await platform.shutdown();
  } finally {
    await platform.kill();
  }
  const { logs } = extensionLogs(platform);
  return {
    failed, logs,
    logged: platform.events.filter((event) => event.type === 'function').map(expected),
    ledger: logs.findLast((one) => one.message === 'ledger'),
    records: await kinesis.readAll(stream)
  };
}

const COLUMNS = ['logged', 'received', 'delivered', 'read back', 'lost', 'duplicated'];

/* A function's row. */
function row(fn, { logged, ledger, records }) {
  const { lost, duplicated, foreign } = compare(logged, records.map((one) => canonical(one.data)));
  const { received = '?', delivered = '?' } = ledger ?? {};
  const counts = [logged.length, received, delivered, records.length, lost.length, duplicated.length];
  const notes = [
    ...logged.length === 0 ? ['The function logged nothing.'] : [],
    ...foreign.length > 0 ? [`${foreign.length} records that nobody logged, as ${foreign[0].slice(0, 100)}`] : []
  ];
  return { name: fn.name, counts, notes, good: notes.length + lost.length + duplicated.length === 0 };
}

function table(rows) {
  const width = Math.max('function'.length, ...rows.map(({ name }) => name.length));
  const line = (name, cells) => `${name.padEnd(width)}${cells.map((cell, i) =>
    String(cell).padStart(COLUMNS[i].length + 3)).join('')}`;
  return [line('function', COLUMNS), ...rows.map(({ name, counts }) => line(name, counts))].join('\n');
}

function show({ name, notes }, { records, failed, logs }, count) {
  console.log([`\n${name}`, ...notes].join('\n  '));
  for (const { shard, partitionKey, data } of records.slice(0, count)) {
    console.log(`  ${shard}  key ${partitionKey}  ${data.toString().slice(0, 120)}`);
  }
  for (const text of failed.slice(0, 3)) {
    console.log(`  the function failed: ${text}`);
  }
  for (const { level, message, ...more } of logs.filter((one) => ['error', 'warn'].includes(one.level)).slice(0, 5)) {
    const rest = JSON.stringify({ ...more, time: undefined, logger: undefined });
    console.log(`  the extension says (${level}): ${message} ${rest}`);
  }
}

async function demo(options) {
  const certificates = await Certificates.make();
  const extensions = await extensionsFolder(BINARY);
  let kinesis;
  try {
    kinesis = await Kinesis.start({ certificate: await certificates.leaf() });
    console.log(`kinesis-local with TLS on port ${kinesis.tlsPort}, ${options.invocations} invocations a function`);
    const common = { ...options, kinesis, extensions, caBundle: await certificates.bundle() };
    const runs = [];
    for (const [i, fn] of options.functions.entries()) {
      runs.push([fn, await run(fn, `demo-${i + 1}`, common)]);
    }
    const rows = runs.map(([fn, seen]) => row(fn, seen));
    console.log(`\n${table(rows)}`);
    runs.forEach(([, seen], i) => show(rows[i], seen, options.shown));
    return rows.every(({ good }) => good);
  } finally {
    await kinesis?.stop();
    removeFolder(extensions);
    await certificates.remove();
  }
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`demo: ${error.message}\n\n${HELP}`);
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
try {
  process.exitCode = await demo(options) ? 0 : 1;
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}
