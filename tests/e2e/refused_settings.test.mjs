/*
 * A bad value in every setting: exactly one line, which names the variable, the value and what is
 * allowed, and the default in its place.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { mute, silence } from './support/faults.mjs';
import { removeFolder, temporaryFolder } from './support/folder.mjs';
import { Front } from './support/front.mjs';
import { Light, light } from './support/light.mjs';
import { until } from './support/until.mjs';

const MIB = 1024 * 1024;
/* The last one is 500 when it is cut to 64 bits. */
const NO_NUMBER = ['x', '-1', '+5', '1.5', '1e3', '0x10', ' 600', '600 ', '600,', '\u0661\u0662\u0663',
  '99999999999999999999999', '18446744073709552116'];
const SWITCHES = ['1', 'yes', 'on', 'true ', 'TRUEE'];

/* What shows that the default is used: each gets a stand under a bad value. */

function subscribed(expected) {
  return async (stand) => assert.deepEqual({ ...stand.bodies('subscribe')[0], ...expected }, stand.bodies('subscribe')[0]);
}

function buffering(name, value) {
  return async (stand) => assert.equal(stand.bodies('subscribe')[0].buffering[name], value);
}

/* The listener's own default, or a free port where that one is taken, which is told. */
async function defaultPort(stand) {
  const [{ destination }] = stand.bodies('subscribe');
  const taken = stand.complaints.some((one) => /port 4243: .*taking a free one/.test(one));
  assert.ok(new URL(destination.URI).port === '4243' || taken, destination.URI);
}

/* Two records of one invocation, at the front. */
async function records(stand) {
  await stand.platform.invoke({}, { during: async (emit) => {
    emit('function', { level: 'INFO', message: 'one' });
    emit('function', { level: 'INFO', message: 'two' });
  } });
  await until('both records', () => stand.arrived.length === 2);
  return stand.arrived;
}

function recordsShow(check) {
  return async (stand) => check(await records(stand));
}

const messages = recordsShow((all) => assert.deepEqual(all.map(({ data }) => data).sort(), ['"one"', '"two"']));
const randomKeys = recordsShow(([one, two]) => assert.notEqual(one.partitionKey, two.partitionKey));
const stream = (name) => recordsShow((all) => assert.deepEqual(all.map((one) => one.stream), [name, name]));

/* One record of both lines. */
async function oneRecord(stand) {
  await stand.log(['one', 'two']);
  await until('the record', () => stand.arrived.length > 0);
  assert.deepEqual(stand.arrived.map(({ data }) => data), ['"one"\n"two"\n']);
}

async function inCbor(stand) {
  await records(stand);
  const { requests, inCbor: some } = stand.front.statistics;
  assert.deepEqual([requests > 0, some], [true, requests]);
}

/* A stream that never answers: the call ends with this line all the same. */
async function givesUp(stand, words) {
  stand.front.fault = silence();
  stand.platform.emit('function', 'line');
  await until('a line that says so', () => stand.logs.some(({ message }) => words.test(message)));
}

/* The invocation ends long before its deadline although the stream does not answer. */
async function holdEnds(stand) {
  stand.front.fault = silence();
  const { status } = await stand.log(['line']);
  assert.equal(status, 'success');
}

/* So many calls in a row that bring nothing, then a rest. */
async function fiveAttempts(stand) {
  stand.front.fault = (exchange) => {
    exchange.send(exchange.error(500, 'InternalFailure', 'Refused by the test.'));
    return true;
  };
  stand.platform.emit('function', 'line');
  await until('a rest', () => stand.logs.some(({ message }) => /nothing is sent for a while/.test(message)));
  assert.equal(stand.front.statistics.requests, 5);
}

/* Nothing below warn, which 202 for the subscription brings; debug would tell the storage, info the end. */
async function levelWarn(stand) {
  await stand.finish();
  const levels = stand.logs.filter(({ message }) => message !== 'ledger').map(({ level }) => level);
  assert.deepEqual(levels, ['error', 'warn']);
}

const DEBUG = { TELEMETRY_LOG_LEVEL: 'debug' };

/* SnapStart connects to nothing ahead of an invocation, so not to AWS either. */
const OFFLINE = { initializationType: 'snap-start' };

let muted; /* a server that answers no TLS handshake */
before(async () => {
  muted = await Front.start({ plain: true });
  muted.connectionFault = mute;
});
after(() => muted.stop());

/* variable: allowed, used, bad values, what shows the default, and what that needs. */
const SETTINGS = {
  KINESIS_STREAM_NAME: {
    allowed: "1 to 128 letters, digits, '_', '.' or '-'", used: 'telemetry-kinesis-stream',
    bad: ['my stream', 'a/b', 'str\u00e9am', 'a'.repeat(129), 'arn:aws:kinesis:us-east-1:123456789012:stream/x', 'a\nb'],
    shows: stream('telemetry-kinesis-stream')
  },
  KINESIS_STREAM_ARN: {
    allowed: 'arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME', used: 'KINESIS_STREAM_NAME',
    bad: ['logs', 'arn:aws:kinesis:us-east-1:123456789012:stream/', 'arn:aws:kinesis:us-east-1:12345678901:stream/x',
      'arn:aws:sqs:us-east-1:123456789012:stream/x', 'arn:aws:kinesis::123456789012:stream/x',
      'arn:aws:kinesis:us-east-1:123456789012:stream/x y', 'arn:aws:firehose:us-east-1:123456789012:deliverystream/x'],
    shows: stream('logs')
  },
  TELEMETRY_TYPES: {
    allowed: 'a comma list of platform, function, extension', used: 'function',
    bad: ['functions', 'function;platform', 'function,', ',', 'Function', 'all'],
    shows: subscribed({ types: ['platform', 'function'] })
  },
  TELEMETRY_RECORD_FORMAT: {
    allowed: 'message, event, enriched, cloudwatch', used: 'message', bad: ['json', 'Message', 'event ', 'message,event'], shows: messages
  },
  TELEMETRY_PARTITION_KEY: {
    allowed: 'random, sandbox, request, none, fixed:TEXT with 1 to 256 characters', used: 'random',
    bad: ['fixed:', 'fixed', 'Random', `fixed:${'\u00e9'.repeat(257)}`, 'key'], shows: randomKeys
  },
  TELEMETRY_AGGREGATION: { allowed: 'none, lines', used: 'none', bad: ['line', 'Lines', 'lines ', 'none,lines', 'kpl', 'true'], shows: messages },
  TELEMETRY_AGGREGATION_MAX_BYTES: {
    allowed: '1024 to 1000000', used: '262144', bad: [...NO_NUMBER, '0', '1023', '1000001', '256KiB'], shows: oneRecord,
    env: { TELEMETRY_AGGREGATION: 'lines' }
  },
  TELEMETRY_COMPRESSION: { allowed: 'none, gzip', used: 'none', bad: ['zip', 'GZIP', 'gzip ', 'deflate', 'true'], shows: messages },
  TELEMETRY_LINGER_MS: { allowed: '0 to 60000', used: '200', bad: [...NO_NUMBER, '60001', '1s'], shows: messages },
  TELEMETRY_FLUSH: { allowed: 'end, continuous, adaptive', used: 'adaptive', bad: ['never', 'End', 'end,continuous'], shows: messages },
  TELEMETRY_FLUSH_BUDGET_MS: { allowed: '0 to 5400000', used: '500', bad: [...NO_NUMBER, '5400001'], shows: holdEnds },
  TELEMETRY_BUFFER_TIMEOUT_MS: {
    allowed: '25 to 30000', used: '25', bad: [...NO_NUMBER, '24', '30001'], shows: buffering('timeoutMs', 25)
  },
  TELEMETRY_BUFFER_MAX_BYTES: {
    allowed: '262144 to 1048576', used: '1048576', bad: [...NO_NUMBER, '262143', '1048577'], shows: buffering('maxBytes', MIB)
  },
  TELEMETRY_BUFFER_MAX_ITEMS: {
    allowed: '1000 to 10000', used: '10000', bad: [...NO_NUMBER, '999', '10001'], shows: buffering('maxItems', 10_000)
  },
  TELEMETRY_QUEUE_MAX_BYTES: {
    allowed: '65536 to 1073741824', used: '4194304', bad: [...NO_NUMBER, '65535', '1073741825', '4MiB'], shows: messages
  },
  TELEMETRY_LISTENER_PORT: {
    allowed: '1 to 65535, less 9001', used: '4243', bad: [...NO_NUMBER, '0', '65536', '9001'], shows: defaultPort
  },
  TELEMETRY_CONNECT_TIMEOUT_MS: {
    allowed: '1 to 60000', used: '500', bad: [...NO_NUMBER, '0', '60001'],
    shows: (stand) => givesUp(stand, /no connection in time/),
    whenShown: { env: () => ({ AWS_ENDPOINT_URL_KINESIS: `https://localhost:${muted.port}` }) }
  },
  TELEMETRY_REQUEST_TIMEOUT_MS: {
    allowed: '1 to 60000', used: '500', bad: [...NO_NUMBER, '0', '60001'], shows: (stand) => givesUp(stand, /no reply in time/)
  },
  TELEMETRY_WIRE: { allowed: 'cbor, json', used: 'cbor', bad: ['xml', 'CBOR', 'cbor,json', 'json '], shows: inCbor },
  TELEMETRY_LOG_LEVEL: {
    allowed: 'error, warn, info, debug', used: 'warn', bad: ['trace', 'WARN', '2', 'warning'],
    shows: levelWarn, whenShown: { platform: { telemetry: 'unsupported' } }
  },
  AWS_REGION: {
    allowed: 'the name of a region, as us-east-1', used: 'us-east-1',
    bad: ['us east 1', 'us-east-1.evil.test', 'us-east-1/', 'r'.repeat(41), 'us_east_1'], shows: messages
  },
  AWS_ENDPOINT_URL_KINESIS: {
    allowed: 'http:// or https://, host, optional :port and /path', used: "AWS_ENDPOINT_URL or the region's endpoint",
    bad: ['localhost:4567', 'ftp://localhost', 'http://', 'https://host:0', 'https://host:65536', 'https://host/?query',
      'https://ho st', 'https://[::1', '//host'],
    env: { AWS_ENDPOINT_URL: 'http://localhost:1' }
  },
  AWS_ENDPOINT_URL: {
    allowed: 'http:// or https://, host, optional :port and /path', used: "the region's endpoint",
    bad: ['localhost:4567', 'https://host:port'], env: { AWS_ENDPOINT_URL_KINESIS: null }, platform: OFFLINE
  },
  AWS_USE_FIPS_ENDPOINT: { allowed: 'true, false', used: 'false', bad: SWITCHES, shows: messages },
  AWS_USE_DUALSTACK_ENDPOINT: { allowed: 'true, false', used: 'false', bad: SWITCHES, shows: messages },
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: { allowed: 'true, false', used: 'false', bad: SWITCHES, shows: messages },
  AWS_MAX_ATTEMPTS: { allowed: '1 to 100', used: '5', bad: [...NO_NUMBER, '0', '101'], shows: fiveAttempts, env: DEBUG }
};

/* The one line about a variable; a value beyond 200 bytes is cut. */
function assertOneLine(stand, name, value, { allowed, used }) {
  const lines = stand.logs.filter(({ message }) => message.startsWith(`${name}:`));
  assert.deepEqual(lines.map(({ level }) => level), ['error'], JSON.stringify(lines));
  const shown = Buffer.byteLength(value) > 200 ? Buffer.from(value).subarray(0, 200).toString() : value;
  assert.equal(lines[0].message, `${name}: "${shown}" is not allowed; allowed: ${allowed}; using ${used}`);
  const others = stand.complaints.filter((one) => !one.startsWith(`${name}:`) && !/port 4243/.test(one));
  assert.deepEqual(others, []);
}

for (const [name, setting] of Object.entries(SETTINGS)) {
  for (const value of setting.bad.slice(setting.shows ? 1 : 0)) {
    const { platform, env } = setting;
    light(`${name}=${JSON.stringify(value.slice(0, 40))}`, { platform, env: { ...env, [name]: value } },
      async (stand) => assertOneLine(stand, name, value, setting));
  }
}

/* And for one bad value of each what it then does. */
for (const [name, setting] of Object.entries(SETTINGS).filter(([, { shows }]) => shows)) {
  const [value] = setting.bad;
  light(`${name}=${JSON.stringify(value)}, and the default in its place`, () => ({
    platform: setting.whenShown?.platform, env: { ...setting.env, ...setting.whenShown?.env?.(), [name]: value }
  }), async (stand) => {
    const lines = () => stand.complaints.filter((one) => one.startsWith(`${name}:`));
    const expected = [`${name}: "${value}" is not allowed; allowed: ${setting.allowed}; using ${setting.used}`];
    assert.deepEqual(lines(), expected);
    await setting.shows(stand);
    assert.deepEqual(lines(), expected);
  });
}

/* AWS_CA_BUNDLE is read at the first connection. */
const BUNDLES = {
  'that does not exist': async (path) => path,
  'that is a folder': async (path) => mkdir(path),
  'that is empty': async (path) => writeFile(path, ''),
  'without a certificate': async (path) => writeFile(path, '-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n'),
  'of 3 MiB': async (path) => writeFile(path, 'x'.repeat(3 * MIB))
};
for (const [what, make] of Object.entries(BUNDLES)) {
  let folder = null;
  light(`AWS_CA_BUNDLE ${what}`, async () => {
    folder = await temporaryFolder('bundle-');
    await make(join(folder, 'ca.pem'));
    const endpoint = `https://localhost:${muted.port}`;
    return { env: { AWS_ENDPOINT_URL_KINESIS: endpoint, AWS_CA_BUNDLE: join(folder, 'ca.pem'), TELEMETRY_FLUSH_BUDGET_MS: '0' } };
  }, async (stand) => {
    const lines = () => stand.complaints.filter((one) => one.startsWith('AWS_CA_BUNDLE:'));
    try {
      await until('the line', () => lines().length > 0);
      await stand.log(['line']);
      assert.equal(lines().length, 1);
      assert.match(lines()[0], /^AWS_CA_BUNDLE: "[^"]*\/ca\.pem".*; allowed: .*; using the built-in Amazon roots$/);
    } finally {
      removeFolder(folder);
    }
  });
}

/* All but the endpoint, which has to lead to the front. */
const NAMES = Object.keys(SETTINGS).filter((name) => !name.startsWith('AWS_ENDPOINT'));

light('a bad value in every setting at once: a line each, and it delivers', {
  env: Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name].bad[0]]))
}, async (stand) => {
  await messages(stand);
  const about = stand.complaints.filter((one) => / is not allowed; /.test(one)).map((one) => one.split(':')[0]);
  assert.deepEqual(about.sort(), [...NAMES].sort());
});

light('an empty value is none', {
  env: Object.fromEntries([...NAMES, 'AWS_ENDPOINT_URL', 'AWS_CA_BUNDLE'].map((name) => [name, ''])
    .concat([['AWS_DEFAULT_REGION', 'us-east-1']]))
}, async (stand) => {
  await messages(stand);
  assert.deepEqual(stand.complaints.filter((one) => !/port 4243/.test(one)), []);
});

light('variables that are no settings: a line each, without their values', {
  env: {
    TELEMETRY_FLUHS: 'end', TELEMETRY_: 'x', telemetry_flush: 'end', TELEMETRY_EMPTY: '', OTHER: 'x',
    ...Object.fromEntries(NAMES.map((name) => [name, null]).filter(([name]) => name.startsWith('TELEMETRY_')))
  }
}, async (stand) => {
  await messages(stand);
  assert.deepEqual(stand.complaints.filter((one) => !/port 4243/.test(one)).sort(),
    ['TELEMETRY_: no such setting', 'TELEMETRY_FLUHS: no such setting']);
});

light('a URL with a user is refused, and not shown', {
  env: { AWS_ENDPOINT_URL: 'http://localhost:1', AWS_ENDPOINT_URL_KINESIS: 'https://user:secret@host' }
}, async (stand) => {
  assertOneLine(stand, 'AWS_ENDPOINT_URL_KINESIS', '(a URL with a user)', SETTINGS.AWS_ENDPOINT_URL_KINESIS);
  assert.ok(stand.platform.lines.every(({ line }) => !line.includes('secret')));
});

light('AWS_ENDPOINT_URL_KINESIS is bad but AWS_ENDPOINT_URL is good: that one serves', {}, async (stand) => {
  const { url } = stand.front;
  const second = await Light.start({ env: { AWS_ENDPOINT_URL_KINESIS: 'kinesis', AWS_ENDPOINT_URL: url } });
  try {
    await second.log(['line']);
    assert.deepEqual(stand.arrived.map(({ data }) => data), ['"line"']);
  } finally {
    await second.stop();
  }
});

for (const name of ['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT']) {
  light(`${name}=true beside an endpoint URL: that one serves`, { env: { [name]: 'true' } }, async (stand) => {
    await messages(stand);
    assertOneLine(stand, name, 'true', { allowed: 'false where an endpoint URL is given', used: 'the endpoint URL' });
  });
}

/* Values that are allowed, but not together. */
const AGGREGATION_MAX = 'TELEMETRY_AGGREGATION_MAX_BYTES';
const TOGETHER = [
  [AGGREGATION_MAX, '2048', {}, 'TELEMETRY_AGGREGATION=lines with it', 'one event a record', messages],
  [AGGREGATION_MAX, '2048', { TELEMETRY_AGGREGATION: 'none', TELEMETRY_COMPRESSION: 'gzip' },
    'TELEMETRY_AGGREGATION=lines with it', 'one event a record'],
  [AGGREGATION_MAX, '32769', { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_QUEUE_MAX_BYTES: '65536' },
    'at most half of TELEMETRY_QUEUE_MAX_BYTES, 32768', '32768', oneRecord],
  [AGGREGATION_MAX, '1000000', { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_QUEUE_MAX_BYTES: '1999999' },
    'at most half of TELEMETRY_QUEUE_MAX_BYTES, 999999', '999999', oneRecord]
];
for (const [name, value, env, allowed, used, shows = () => {}] of TOGETHER) {
  light(`${name}=${value} with ${JSON.stringify(env)}`, { env: { ...env, [name]: value } }, async (stand) => {
    await shows(stand);
    assertOneLine(stand, name, value, { allowed, used });
  });
}

light('no region at all: told once', { env: { AWS_REGION: null, AWS_DEFAULT_REGION: null } }, async (stand) => {
  await messages(stand);
  assert.equal(stand.complaints.filter((one) => /REGION: "" is not allowed/.test(one)).length, 1);
});
