/*
 * Published readers of what a CloudWatch Logs subscription filter puts into a stream, each a package of its own.
 *
 *   for (const { name, read } of READERS) { const events = await read(records.map((one) => one.data)); … }
 *
 * What they make of records (Buffers): [{ id, timestamp, message, owner, type, group, stream, filters }].
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CloudWatchLogsSchema } from '@aws-lambda-powertools/parser/schemas/cloudwatch';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const PYTHON = here('../../../build/readers-python/bin/python');
const READ_PY = here('../readers/read.py');
const GO = here('../../../build/readers/go');
const RUST = here('../../../build/readers/rust/release/kinesis-telemetry-tests-reader');

function ofMessage({ owner, messageType: type, logGroup: group, logStream: stream, logEvents, ...more }) {
  const names = { owner, type, group, stream, filters: more.subscriptionFilters };
  return logEvents.map(({ id, timestamp, message }) => ({ id, timestamp, message, ...names }));
}

/* One that is a program: records in base64, a line each; log events in JSON, a line each. */
function byProgram(command, ...args) {
  return (records) => {
    const input = records.map((one) => `${one.toString('base64')}\n`).join('');
    const output = execFileSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 30 });
    return output.split('\n').filter(Boolean).map((line) => {
      const [id, timestamp, message, owner, type, group, stream, filters] = JSON.parse(line);
      return { id, timestamp, message, owner, type, group, stream, filters };
    });
  };
}

const notBuilt = (program) => !existsSync(program) && 'its language or package cannot be had here (build/readers/log)';

export const READERS = [
  {
    name: 'Powertools for TypeScript, whose schema is strict',
    read: (records) => records.flatMap((one) =>
      ofMessage(CloudWatchLogsSchema.parse({ awslogs: { data: one.toString('base64') } }).awslogs.data))
  },
  { name: 'Powertools for Python, data classes', read: byProgram(PYTHON, '-B', READ_PY, 'classes') },
  { name: 'Powertools for Python, parser', read: byProgram(PYTHON, '-B', READ_PY, 'parser') },
  { name: 'AWS\'s library for Go', skip: notBuilt(GO), read: byProgram(GO) },
  { name: 'AWS\'s events for Rust', skip: notBuilt(RUST), read: byProgram(RUST) }
];
