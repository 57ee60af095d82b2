#!/usr/bin/env node
// Runs a function with its extensions on the local platform: node tests/platform/cli.mjs --help

import { readFileSync, realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Platform } from './platform.mjs';

const HELP = `usage: node cli.mjs --bootstrap PATH [--extensions DIR] [option ...]

Runs a Lambda function and its extensions without AWS: starts every file in DIR as an
extension and PATH as the function's runtime, invokes it, shuts down. Lines of extensions
and function are printed behind their name. Exit status 0 when every invocation succeeded
and every extension ended by itself with status 0; 1 otherwise; 2 for a wrong option.

  --extensions DIR       folder of extensions (as /opt/extensions)
  --bootstrap PATH       the function's executable; speaks the Runtime API
  --task-root DIR        its working directory; default: the folder of PATH
  --handler NAME         _HANDLER; default handler.handler
  --event JSON|@FILE     the payload; default {}
  --count N              invocations, one after the other; default 1
  --log-format FORMAT    Text (default) or JSON
  --timeout MS           of the function; default 30000
  --memory MB            AWS_LAMBDA_FUNCTION_MEMORY_SIZE; default 256
  --env NAME=VALUE       for extensions and function; may be repeated
  --freeze               stop all processes between invocations (SIGSTOP), as Lambda does
  --managed-instances    Lambda Managed Instances: SHUTDOWN only, invocations at once
  --concurrency N        with --managed-instances: default 4
  --function-name NAME   default local-function
  --region REGION        default: AWS_REGION, else us-east-1
  --busy WHAT            becomes of telemetry that falls due while the extension has not
                         answered yet: drop (default, AWS's rule; whole batches) or keep
  --lose EVENTS          of every invocation, as if dropped: start, runtimeDone, report, by comma
  --line-delay MS        how much later than the platform's events a line of the function comes
  --cpu ON/PERIOD        ms of one CPU for all processes in each period of ms, such as 7/100
  --confined             extensions as Lambda's user, with its limits; only /tmp is writable (root)
  --snap-start           frozen after init, restored by the first invocation
  --shutdown-flush WHEN  of buffered telemetry: with the SHUTDOWN event (default), before it,
                         none, or drop what the extension is too slow for
  --shutdown-left MS     what is left of the shutdown's 2000 when extensions are told
  --init-retry           a failed init is tried again by the first invocation
  --reason REASON        of the shutdown: spindown (default), timeout, failure
  --quiet                no lines of extensions and function
  --help

AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN are handed on when set here;
otherwise the processes get AWS's documentation example, which no service accepts.
`;

const STRINGS = [
  'extensions',
  'bootstrap',
  'task-root',
  'handler',
  'event',
  'count',
  'log-format',
  'timeout',
  'memory',
  'concurrency',
  'function-name',
  'region',
  'reason',
  'busy',
  'lose',
  'line-delay',
  'cpu',
  'shutdown-flush',
  'shutdown-left'
];
const FLAGS = ['freeze', 'managed-instances', 'confined', 'snap-start', 'init-retry', 'quiet', 'help'];
const EVENTS = ['start', 'runtimeDone', 'report'];

class UsageError extends Error {}

// Returns {platform, invocation: options of Platform.start and of invoke, payload, count, reason}, or {help: true}.
export function readArguments(argv, environment = process.env) {
  const values = parse(argv);
  if (values.help) return { help: true };
  if (values.bootstrap === undefined) throw new UsageError('--bootstrap is missing');
  const reason = oneOf('reason', values.reason ?? 'spindown', ['spindown', 'timeout', 'failure']);
  return {
    platform: platformOptions(values, environment),
    payload: readEvent(values.event ?? '{}'),
    invocation: lost(values.lose),
    count: wholeNumber('count', values.count, 1),
    reason,
    quiet: values.quiet ?? false
  };
}

function parse(argv) {
  const options = { env: { type: 'string', multiple: true } };
  for (const name of STRINGS) options[name] = { type: 'string' };
  for (const name of FLAGS) options[name] = { type: 'boolean' };
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function platformOptions(values, environment) {
  return {
    extensions: values.extensions,
    bootstrap: values.bootstrap,
    taskRoot: values['task-root'],
    handler: values.handler,
    functionName: values['function-name'],
    region: values.region ?? environment.AWS_REGION,
    timeoutMs: wholeNumber('timeout', values.timeout, undefined),
    memorySizeMb: wholeNumber('memory', values.memory, undefined),
    maxConcurrency: wholeNumber('concurrency', values.concurrency, undefined),
    logFormat: oneOf('log-format', values['log-format'], ['Text', 'JSON']),
    freeze: values.freeze,
    managedInstances: values['managed-instances'],
    deliver: {
      busy: oneOf('busy', values.busy, ['drop', 'keep']),
      shutdownFlush: oneOf('shutdown-flush', values['shutdown-flush'], ['before', 'with', 'none', 'drop'])
    },
    lineDelayMs: wholeNumber('line-delay', values['line-delay'], undefined),
    cpu: cpuQuota(values.cpu),
    confined: values.confined,
    snapStart: values['snap-start'],
    initRetry: values['init-retry'],
    shutdownLeftMs: wholeNumber('shutdown-left', values['shutdown-left'], undefined),
    env: { ...credentials(environment), ...variables(values.env ?? []) }
  };
}

// All three or none: a session token of other keys would make every signature wrong.
function credentials(environment) {
  if (environment.AWS_ACCESS_KEY_ID === undefined) return {};
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN = null } = environment;
  return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN };
}

function variables(pairs) {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--env takes NAME=VALUE, not ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    })
  );
}

function lost(text) {
  const names = text?.split(',') ?? [];
  for (const name of names) oneOf('lose', name, EVENTS);
  return Object.fromEntries(names.map((name) => [name, false]));
}

function cpuQuota(text) {
  if (text === undefined) return undefined;
  const match = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text);
  if (match === null) throw new UsageError(`--cpu takes ON/PERIOD in ms, not ${text}`);
  return { onMs: Number(match[1]), periodMs: Number(match[2]) };
}

function oneOf(name, value, allowed) {
  if (value === undefined || allowed.includes(value)) return value;
  throw new UsageError(`--${name} must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}, not ${value}`);
}

function wholeNumber(name, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${name} takes a whole number above 0, not ${text}`);
  return Number(text);
}

function readEvent(text) {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text);
  } catch (error) {
    throw new UsageError(`--event: ${error.message}`);
  }
}

// Resolves with the exit status.
async function run({ platform: options, payload, invocation, count, reason, quiet }) {
  const onLine = quiet ? null : (source, line) => console.log(`[${source}] ${line}`);
  let platform;
  try {
    platform = await Platform.start({ ...options, onLine });
  } catch (error) {
    console.error(`platform: ${error.message}`);
    return 1;
  }
  const invoked = await invokeAll(platform, { payload, invocation, count, atOnce: options.managedInstances });
  const report = await platform.shutdown(reason);
  const ended = report.extensions.map(reportExtension).every((good) => good);
  return invoked && ended ? 0 : 1;
}

// true when every invocation succeeded.
async function invokeAll(platform, { payload, invocation, count, atOnce }) {
  const one = async () => {
    try {
      return reportInvocation(await platform.invoke(payload, invocation));
    } catch (error) {
      console.error(`platform: ${error.message}`);
      return null;
    }
  };
  if (atOnce) return (await Promise.all(Array.from({ length: count }, one))).every((good) => good);
  let good = true;
  for (let n = 0; n < count; n += 1) {
    const outcome = await one();
    if (outcome === null) return false; // the environment is broken
    good &&= outcome;
  }
  return good;
}

function reportInvocation({ requestId, status, errorType, response, error, durationMs }) {
  const how = errorType === undefined ? status : `${status} ${errorType}`;
  const what = error === undefined ? `response ${JSON.stringify(response)}` : `error ${JSON.stringify(error)}`;
  console.log(`platform: ${requestId} ${how} after ${durationMs.toFixed(1)} ms, ${what}`);
  return status === 'success';
}

function reportExtension({ name, exitCode, signal, ms, late }) {
  const how = signal === null ? `status ${exitCode}` : signal;
  const when = ms === null ? '' : ` ${ms.toFixed(1)} ms after SHUTDOWN`;
  console.log(`platform: ${name} ended with ${how}${when}${late ? ', killed at the deadline' : ''}`);
  return exitCode === 0 && !late;
}

async function main() {
  try {
    const options = readArguments(process.argv.slice(2));
    if (options.help) process.stdout.write(HELP);
    else process.exitCode = await run(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}; try --help`);
    process.exitCode = 2;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
