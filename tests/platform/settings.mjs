// Options of the local platform, their defaults, and the environments that the processes get.
// Numbers ("1.5") are paragraphs of the notes on Lambda's APIs by which this platform was written.

import { randomBytes, randomInt } from 'node:crypto';
import path from 'node:path';
import { credentialsEnvironment } from './credentials.mjs';

const DEFAULTS = {
  extensions: null, // folder whose entries are executed; null: no external extension
  bootstrap: null, // path, or argv array; null: the caller plays the function
  taskRoot: null, // default: the bootstrap's folder
  handler: 'handler.handler',
  functionName: 'local-function',
  functionVersion: '$LATEST',
  region: 'us-east-1',
  accountId: '123456789012',
  memorySizeMb: 256,
  timeoutMs: 30000, // generous, since a loaded test machine is slow; Lambda's own default is 3,000
  initTimeoutMs: 10000, // 1.6
  initRetry: false, // 1.6: true: a failed init does not fail the start; the first invocation tries again
  shutdownMs: 2000, // 1.6: the whole shutdown phase
  shutdownLeftMs: null, // what of it is left when the extensions are told, if the runtime and the flush use up the rest
  shutdownReason: 'spindown',
  logFormat: null, // 'Text' or 'JSON'; default Text, on Managed Instances JSON (1.8)
  textNewline: false, // 2.4: some loggers leave the newline in the record
  maxLineBytes: 64 * 1024, // 2.2: a longer line comes in pieces; up to 1 MiB was seen, the longest CloudWatch log event
  lineDelayMs: 0, // 2.5 (1): by how much a function's line is later than the platform's own events; or [least, most]
  goJson: true, // events are written as Go does: <, > and & as escapes, JSON lines without blanks; false: not so
  env: {}, // added to both environments; a null value takes a variable out
  freeze: false, // true: as soon as all are idle; 'drawn': some time after that, within 30 ms
  seed: null, // of all that is drawn; default: another one each time, as platform.seed
  cpu: null, // {onMs, periodMs}: a share of one CPU for the whole sandbox: 128 MB come with some 7 % (1.4)
  confined: false, // 1.4: extensions run as Lambda's user, with its limits, and can write to /tmp only; needs root
  nextAgain: 'refused', // a second next while one is pending whose connection broke: so AWS's emulator; or 'taken'
  runtimeDoneAtReset: true, // a reset while an extension holds has a second runtimeDone for the request: AWS's emulator
  // 1.7: frozen after init, unknown to the extensions' environment, restored by the first invocation; the keys of `env`
  // are in no environment, but fetched
  snapStart: false,
  restoredCredentials: null, // {accessKeyId, secretAccessKey, sessionToken} from then on; default: as before
  duringInit: null, // (emit, journal) => promise: without a bootstrap, the function's own init
  duringRestore: null, // the same of its hooks after a restoration
  initDoneFirst: false, // initRuntimeDone once the function is ready: so the documentation; or all are: AWS's emulator
  tracing: true, // 1.3, 2.3: false: neither INVOKE nor an event has it
  tenantId: null, // 1.9
  alias: null, // of the function: the end of invokedFunctionArn
  instanceMaxMemory: null, // in place of memorySizeMb in initStart: 2.3, bytes or a text are seen, too
  managedInstances: false,
  initializationType: null, // default on-demand, on Managed Instances lambda-managed-instances (1.5)
  maxConcurrency: 4, // Managed Instances only
  telemetry: 'on', // 'on'; 'unsupported': 202 as a local emulator; 'absent': 404 as an old one
  port: 0,
  keepEvents: true, // false: platform.events stays empty, for runs of a million events
  faults: {},
  deliver: {},
  onLine: null
};

const DELIVER_DEFAULTS = {
  retry: true, // false: as the emulator, a failed batch is dropped and reported
  attempts: Infinity,
  backoffMs: 50, // doubles with each failure
  backoffMaxMs: 1000,
  timeoutMs: 5000, // of one POST
  busy: 'drop', // 2.2: a batch that falls due while a POST is outstanding is dropped whole; 'keep': it waits
  bufferBytes: 64 * 1024 * 1024, // with 'keep', per subscriber; past it, events are dropped and reported
  bytesPerMs: 64 * 1024, // the pace at which events reach their subscribers: the content of a pipe each millisecond
  cutLongRecords: false, // 2.2: a record above maxBytes is cut in two POSTs
  dropPath: false, // 2.6: the emulator posts to / whatever the URI says
  pieceBytes: null, // a POST's body is written in pieces of so many bytes
  halvesMs: 0, // so long after one half of a POST comes the other, if no freeze lies between
  idleMs: 90000, // an idle connection is closed after that, as Go's client does
  chunked: false, // Transfer-Encoding: chunked in place of Content-Length
  headers: {},
  // 'before' or 'with' the SHUTDOWN event; 'none': what is buffered goes when it is due; 'drop': before it, and what
  // would have to wait for the POST outstanding is dropped. Default 'with' (2.5), on Managed Instances 'before' (1.8).
  shutdownFlush: null
};

const KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', // AWS's documentation example, of no account
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'local-session-token'
};

export function settingsFrom(options) {
  const unknown = [
    ...unknownNames(options, DEFAULTS, ''),
    ...unknownNames(options.deliver ?? {}, DELIVER_DEFAULTS, 'deliver.')
  ];
  if (unknown.length > 0) throw new Error(`unknown option of the platform: ${unknown.join(', ')}`);
  const settings = { ...DEFAULTS, ...defined(options) };
  settings.deliver = { ...DELIVER_DEFAULTS, ...defined(options.deliver ?? {}) };
  oneOf('deliver.busy', settings.deliver.busy, ['drop', 'keep']);
  settings.deliver.shutdownFlush ??= settings.managedInstances ? 'before' : 'with';
  oneOf('deliver.shutdownFlush', settings.deliver.shutdownFlush, ['before', 'with', 'none', 'drop']);
  settings.logFormat ??= settings.managedInstances ? 'JSON' : 'Text';
  oneOf('logFormat', settings.logFormat, ['Text', 'JSON']);
  if (settings.bootstrap !== null) {
    settings.bootstrap = [settings.bootstrap].flat();
    if (settings.bootstrap[0].includes('/')) settings.bootstrap[0] = path.resolve(settings.bootstrap[0]);
    settings.taskRoot = path.resolve(settings.taskRoot ?? path.dirname(settings.bootstrap[0]));
  }
  if (settings.extensions !== null) settings.extensions = path.resolve(settings.extensions);
  oneOf('freeze', settings.freeze, [false, true, 'drawn']);
  if (settings.managedInstances) settings.freeze = false; // 1.8: never frozen
  oneOf('nextAgain', settings.nextAgain, ['refused', 'taken']);
  settings.seed ??= randomInt(2 ** 32);
  settings.initializationType ??= initializationType(settings);
  settings.functionArn = `arn:aws:lambda:${settings.region}:${settings.accountId}:function:${settings.functionName}`;
  settings.logStream = logStreamName(settings.functionVersion);
  return settings;
}

function initializationType({ managedInstances, snapStart }) {
  if (managedInstances) return 'lambda-managed-instances';
  return snapStart ? 'snap-start' : 'on-demand';
}

function unknownNames(given, known, prefix) {
  return Object.keys(given)
    .filter((name) => !(name in known))
    .map((name) => prefix + name);
}

function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return;
  throw new Error(`${name} must be ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}, not ${value}`);
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function logStreamName(version) {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[${version}]${randomBytes(16).toString('hex')}`;
}

// 1.5: what both kinds of process see. Nothing is inherited from our own environment but PATH,
// without which the example bootstraps would not find node or curl.
function commonEnvironment(settings, runtimeApi) {
  return {
    AWS_REGION: settings.region,
    AWS_DEFAULT_REGION: settings.region,
    AWS_LAMBDA_FUNCTION_NAME: settings.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: settings.functionVersion,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memorySizeMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: settings.initializationType,
    AWS_LAMBDA_LOG_FORMAT: settings.logFormat,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    ...KEYS,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  };
}

// The credentials that the processes are meant to have.
export function credentialsFrom({ env }) {
  const keys = { ...KEYS, ...env };
  return {
    accessKeyId: keys.AWS_ACCESS_KEY_ID,
    secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
    sessionToken: keys.AWS_SESSION_TOKEN
  };
}

// 1.5: what of them is in the environment. token: of SnapStart's endpoint; null: they are themselves.
function withCredentials(environment, runtimeApi, token) {
  if (token === null) return environment;
  const others = Object.entries(environment).filter(([name]) => !(name in KEYS));
  return { ...credentialsEnvironment(runtimeApi, token), ...Object.fromEntries(others) };
}

function withCustomer(environment, customer) {
  const all = { ...environment, ...customer };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

// 1.5: no variable that starts with an underscore reaches an extension. With SnapStart the kind of init does not,
// either, by the list in AWS's emulator.
export function extensionEnvironment(settings, runtimeApi, token) {
  const common = commonEnvironment(settings, runtimeApi);
  if (settings.snapStart) delete common.AWS_LAMBDA_INITIALIZATION_TYPE;
  const all = withCredentials(withCustomer(common, settings.env), runtimeApi, token);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('_')));
}

export function functionEnvironment(settings, runtimeApi, token) {
  const own = {
    ...commonEnvironment(settings, runtimeApi),
    _HANDLER: settings.handler,
    LAMBDA_TASK_ROOT: settings.taskRoot,
    LAMBDA_RUNTIME_DIR: settings.taskRoot,
    AWS_EXECUTION_ENV: 'AWS_Lambda_local',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${settings.functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: settings.logStream
  };
  if (settings.managedInstances) own.AWS_LAMBDA_MAX_CONCURRENCY = String(settings.maxConcurrency);
  return withCredentials(withCustomer(own, settings.env), runtimeApi, token);
}
