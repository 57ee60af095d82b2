import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CfnParameter, Duration, Size } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  Aggregation,
  Compression,
  DeadLetter,
  DropPolicy,
  FlushPolicy,
  LineLevel,
  LogLevel,
  MetricsFormat,
  OversizePolicy,
  PartitionKey,
  RecordFormat,
  SystemLevel,
  TelemetrySettings,
  TelemetryType,
  WireForm,
} from '../lib';
import { settingsEnvironment } from '../lib/settings';
import { ROOT, makeStack } from './support/app';

const bucket = s3.Bucket.fromBucketName(makeStack(), 'Bucket', 'letters');

/** Each variable, a prop that sets it, the value that comes of it. */
const SET: [string, TelemetrySettings, string][] = [
  ['TELEMETRY_TYPES', { types: [TelemetryType.PLATFORM, TelemetryType.FUNCTION] }, 'platform,function'],
  ['TELEMETRY_TYPES', { types: [TelemetryType.EXTENSION, TelemetryType.EXTENSION] }, 'extension'],
  ['TELEMETRY_RECORD_FORMAT', { recordFormat: RecordFormat.MESSAGE }, 'message'],
  ['TELEMETRY_RECORD_FORMAT', { recordFormat: RecordFormat.EVENT }, 'event'],
  ['TELEMETRY_RECORD_FORMAT', { recordFormat: RecordFormat.ENRICHED }, 'enriched'],
  ['TELEMETRY_RECORD_FORMAT', { recordFormat: RecordFormat.CLOUDWATCH }, 'cloudwatch'],
  ['TELEMETRY_LOG_GROUP', { logGroup: '/aws/lambda/a_b-c.d#1' }, '/aws/lambda/a_b-c.d#1'],
  ['TELEMETRY_SYSTEM_LEVEL', { systemLevel: SystemLevel.DEBUG }, 'DEBUG'],
  ['TELEMETRY_SYSTEM_LEVEL', { systemLevel: SystemLevel.WARN }, 'WARN'],
  ['TELEMETRY_PARTITION_KEY', { partitionKey: PartitionKey.RANDOM }, 'random'],
  ['TELEMETRY_PARTITION_KEY', { partitionKey: PartitionKey.SANDBOX }, 'sandbox'],
  ['TELEMETRY_PARTITION_KEY', { partitionKey: PartitionKey.REQUEST }, 'request'],
  ['TELEMETRY_PARTITION_KEY', { partitionKey: PartitionKey.NONE }, 'none'],
  ['TELEMETRY_PARTITION_KEY', { partitionKey: PartitionKey.fixed('🐟'.repeat(256)) }, `fixed:${'🐟'.repeat(256)}`],
  ['TELEMETRY_AGGREGATION', { aggregation: Aggregation.NONE }, 'none'],
  ['TELEMETRY_AGGREGATION', { aggregation: Aggregation.LINES }, 'lines'],
  ['TELEMETRY_LINGER_MS', { linger: Duration.millis(0) }, '0'],
  ['TELEMETRY_LINGER_MS', { linger: Duration.minutes(1) }, '60000'],
  ['TELEMETRY_COMPRESSION', { compression: Compression.NONE }, 'none'],
  ['TELEMETRY_COMPRESSION', { compression: Compression.GZIP }, 'gzip'],
  ['TELEMETRY_LEVEL', { level: LineLevel.TRACE }, 'TRACE'],
  ['TELEMETRY_LEVEL', { level: LineLevel.FATAL }, 'FATAL'],
  ['TELEMETRY_LEVEL_DEFAULT', { levelDefault: LineLevel.INFO }, 'INFO'],
  ['TELEMETRY_HELD_MAX_BYTES', { heldMaxSize: Size.kibibytes(4) }, '4096'],
  ['TELEMETRY_FILTER', { filter: '{ $.level = "ERROR" }' }, '{ $.level = "ERROR" }'],
  ['TELEMETRY_SAMPLE_RATE', { sampleRate: 0 }, '0'],
  ['TELEMETRY_SAMPLE_RATE', { sampleRate: 1 }, '1'],
  ['TELEMETRY_SAMPLE_RATE', { sampleRate: 0.1 }, '0.1'],
  ['TELEMETRY_SAMPLE_RATE', { sampleRate: 0.000001 }, '0.000001'],
  ['TELEMETRY_REDACT', { redact: ['password', '*token', '*key*'] }, 'password,*token,*key*'],
  ['TELEMETRY_FLUSH', { flush: FlushPolicy.END }, 'end'],
  ['TELEMETRY_FLUSH', { flush: FlushPolicy.CONTINUOUS }, 'continuous'],
  ['TELEMETRY_FLUSH', { flush: FlushPolicy.ADAPTIVE }, 'adaptive'],
  ['TELEMETRY_FLUSH_BUDGET_MS', { flushBudget: Duration.millis(0) }, '0'],
  ['TELEMETRY_FLUSH_BUDGET_MS', { flushBudget: Duration.minutes(90) }, '5400000'],
  ['TELEMETRY_HOLD_SILENCE_MS', { holdSilence: Duration.millis(0) }, '0'],
  ['TELEMETRY_HOLD_SILENCE_MS', { holdSilence: Duration.minutes(90) }, '5400000'],
  ['TELEMETRY_BUFFER_TIMEOUT_MS', { bufferTimeout: Duration.millis(25) }, '25'],
  ['TELEMETRY_BUFFER_TIMEOUT_MS', { bufferTimeout: Duration.millis(500) }, '500'],
  ['TELEMETRY_BUFFER_MAX_BYTES', { bufferMaxSize: Size.kibibytes(256) }, '262144'],
  ['TELEMETRY_BUFFER_MAX_BYTES', { bufferMaxSize: Size.mebibytes(1) }, '1048576'],
  ['TELEMETRY_BUFFER_MAX_ITEMS', { bufferMaxItems: 1000 }, '1000'],
  ['TELEMETRY_OVERSIZE', { oversize: OversizePolicy.TRUNCATE }, 'truncate'],
  ['TELEMETRY_OVERSIZE', { oversize: OversizePolicy.SPLIT }, 'split'],
  ['TELEMETRY_OVERSIZE', { oversize: OversizePolicy.DROP }, 'drop'],
  ['TELEMETRY_DROP', { drop: DropPolicy.NEWEST }, 'newest'],
  ['TELEMETRY_DROP', { drop: DropPolicy.OLDEST }, 'oldest'],
  ['TELEMETRY_DEAD_LETTER', { deadLetter: DeadLetter.STDERR }, 'stderr'],
  ['TELEMETRY_DEAD_LETTER', { deadLetter: DeadLetter.bucket(bucket) }, 's3://letters'],
  ['TELEMETRY_DEAD_LETTER', { deadLetter: DeadLetter.bucket(bucket, '/a/b/') }, 's3://letters/a/b'],
  ['TELEMETRY_METRICS', { metrics: MetricsFormat.NONE }, 'none'],
  ['TELEMETRY_METRICS', { metrics: MetricsFormat.EMF }, 'emf'],
  ['TELEMETRY_QUEUE_MAX_BYTES', { queueMaxSize: Size.kibibytes(64) }, '65536'],
  ['TELEMETRY_QUEUE_MAX_BYTES', { queueMaxSize: Size.gibibytes(1) }, '1073741824'],
  ['TELEMETRY_LISTENER_PORT', { listenerPort: 65535 }, '65535'],
  ['TELEMETRY_CONNECT_TIMEOUT_MS', { connectTimeout: Duration.millis(1) }, '1'],
  ['TELEMETRY_REQUEST_TIMEOUT_MS', { requestTimeout: Duration.minutes(1) }, '60000'],
  ['TELEMETRY_WIRE', { wire: WireForm.CBOR }, 'cbor'],
  ['TELEMETRY_WIRE', { wire: WireForm.JSON }, 'json'],
  ['TELEMETRY_LOG_LEVEL', { logLevel: LogLevel.ERROR }, 'error'],
  ['TELEMETRY_LOG_LEVEL', { logLevel: LogLevel.WARN }, 'warn'],
  ['TELEMETRY_LOG_LEVEL', { logLevel: LogLevel.INFO }, 'info'],
  ['TELEMETRY_LOG_LEVEL', { logLevel: LogLevel.DEBUG }, 'debug'],
  ['AWS_MAX_ATTEMPTS', { maxAttempts: 100 }, '100'],
  ['TELEMETRY_PROXY', { proxy: 'environment' }, 'environment'],
  ['TELEMETRY_PROXY', { proxy: 'http://proxy.example' }, 'http://proxy.example'],
  ['TELEMETRY_PROXY', { proxy: 'http://u:p@w%2f@[::1]:3128/' }, 'http://u:p@w%2f@[::1]:3128/'],
  ['AWS_ENDPOINT_URL', { endpointUrl: 'http://localhost:4566' }, 'http://localhost:4566'],
  ['AWS_ENDPOINT_URL_KINESIS', { endpointUrlKinesis: 'https://[::1]:4567/a/' }, 'https://[::1]:4567/a/'],
  ['AWS_ENDPOINT_URL_S3', { endpointUrlS3: 'https://vpce-1.s3.example.com' }, 'https://vpce-1.s3.example.com'],
  ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', { ignoreConfiguredEndpointUrls: true }, 'true'],
  ['AWS_USE_FIPS_ENDPOINT', { useFipsEndpoint: true }, 'true'],
  ['AWS_USE_DUALSTACK_ENDPOINT', { useDualstackEndpoint: false }, 'false'],
  ['AWS_CA_BUNDLE', { caBundle: '/var/task/ca.pem' }, '/var/task/ca.pem'],
];

/** The same of a variable that needs TELEMETRY_AGGREGATION=lines. */
const OF_LINES: [string, TelemetrySettings, string][] = [
  ['TELEMETRY_AGGREGATION_MAX_BYTES', { aggregationMaxSize: Size.kibibytes(1) }, '1024'],
  ['TELEMETRY_AGGREGATION_MAX_BYTES', { aggregationMaxSize: Size.bytes(1000000) }, '1000000'],
];

/** The same of what needs a level above with it. */
const OF_LEVELS: [string, TelemetrySettings, string][] = [
  ['TELEMETRY_LEVEL_ON_ERROR', { levelOnError: LineLevel.DEBUG }, 'DEBUG'],
];

/** Values that the extension would refuse, and what is said of them. */
const REFUSED: [string, () => TelemetrySettings, RegExp][] = [
  ['no types', () => ({ types: [] }), /^types: at least one/],
  ['unknown type', () => ({ types: ['logs' as TelemetryType] }), /^types: a list, each one platform, function, extension, not \["logs"\]$/],
  ['unknown format', () => ({ recordFormat: 'json' as RecordFormat }), /^recordFormat: message, event, enriched, cloudwatch, not "json"$/],
  ['a log group with blanks', () => ({ logGroup: 'a b' }), /^logGroup: 1 to 512 letters, .*, not "a b"$/],
  ['a log group without a name', () => ({ logGroup: '' }), /^logGroup: 1 to 512 letters, .*, not ""$/],
  ['a level of lines as one of the platform', () => ({ systemLevel: 'ERROR' as SystemLevel }), /^systemLevel: DEBUG, INFO, WARN, not "ERROR"$/],
  ['messages of one event', () => ({ recordFormat: RecordFormat.CLOUDWATCH, aggregation: Aggregation.NONE }), /^aggregation: lines, or left out, with recordFormat: cloudwatch, not none$/],
  ['messages that are not compressed', () => ({ recordFormat: RecordFormat.CLOUDWATCH, compression: Compression.NONE }), /^compression: gzip, or left out, .*, not none$/],
  ['pieces of lines in messages', () => ({ recordFormat: RecordFormat.CLOUDWATCH, oversize: OversizePolicy.SPLIT }), /^oversize: truncate, drop, or left out, .*, not split$/],
  ['unknown aggregation', () => ({ aggregation: 'kpl' as Aggregation }), /^aggregation: none, lines, not "kpl"$/],
  ['unknown compression', () => ({ compression: 'zstd' as Compression }), /^compression: none, gzip, not "zstd"$/],
  ['small aggregates', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: Size.bytes(1023) }), /^aggregationMaxSize in bytes: .* 1024 to 1000000, not 1023$/],
  ['large aggregates', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: Size.mebibytes(1) }), /1024 to 1000000, not 1048576$/],
  ['aggregates of a fraction of a byte', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: Size.kibibytes(1.25001) }), /^aggregationMaxSize in bytes: a whole number .* not 1280.0/],
  ['a size of no number', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: 2048 as unknown as Size }), /^aggregationMaxSize: a Size, as /],
  ['a size of none, compressed', () => ({ aggregation: Aggregation.NONE, compression: Compression.GZIP, aggregationMaxSize: Size.kibibytes(256) }), /^aggregationMaxSize: 262144 bytes .* needs aggregation: lines with it, not none$/],
  ['a size of no aggregates', () => ({ aggregationMaxSize: Size.kibibytes(2) }), /^aggregationMaxSize: 2048 bytes \(TELEMETRY_AGGREGATION_MAX_BYTES\) needs aggregation: lines with it, not none$/],
  ['aggregates of more than half of the queue', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: Size.bytes(32769), queueMaxSize: Size.kibibytes(64) }), /^aggregationMaxSize in bytes: at most half of queueMaxSize, 32768, not 32769 bytes$/],
  ['aggregates of more than half of a queue of odd size', () => ({ aggregation: Aggregation.LINES, aggregationMaxSize: Size.bytes(1000000), queueMaxSize: Size.bytes(1999999) }), /half of queueMaxSize, 999999, not 1000000 bytes$/],
  ['a fraction of linger', () => ({ linger: Duration.millis(0.5) }), /^linger in milliseconds: a whole number from 0 to 60000, not 0.5$/],
  ['long linger', () => ({ linger: Duration.millis(60001) }), /^linger in milliseconds: .* 0 to 60000, not 60001$/],
  ['unknown level of lines', () => ({ level: 'warn' as LineLevel }), /^level: TRACE, DEBUG, INFO, WARN, ERROR, FATAL, not "warn"$/],
  ['detail on error without a level', () => ({ levelOnError: LineLevel.DEBUG }), /^levelOnError: a level below level/],
  ['detail on error at the level', () => ({ level: LineLevel.WARN, levelOnError: LineLevel.WARN }), /^levelOnError: /],
  ['little held', () => ({ heldMaxSize: Size.bytes(4095) }), /^heldMaxSize in bytes: .* 4096 to 1073741824, not 4095$/],
  ['long filter', () => ({ filter: 'ö'.repeat(513) }), /^filter: a filter pattern of at most 1024 bytes$/],
  ['a rate above 1', () => ({ sampleRate: 1.5 }), /^sampleRate: 0 to 1, .* not 1.5$/],
  ['a rate below 0', () => ({ sampleRate: -0.1 }), /^sampleRate: /],
  ['a fine rate', () => ({ sampleRate: 0.0000001 }), /^sampleRate: /],
  ['no names', () => ({ redact: [] }), /^redact: names/],
  ['an asterisk within a name', () => ({ redact: ['a*b'] }), /^redact: names, \* at either end of each, not \["a\*b"\]$/],
  ['two names in one', () => ({ redact: ['a,b'] }), /^redact: /],
  ['an empty name', () => ({ redact: ['a', ' '] }), /^redact: /],
  ['unknown flush', () => ({ flush: 'never' as FlushPolicy }), /^flush: end, continuous, adaptive/],
  ['unknown oversize', () => ({ oversize: '' as OversizePolicy }), /^oversize: /],
  ['unknown drop', () => ({ drop: 'all' as DropPolicy }), /^drop: newest, oldest/],
  ['unknown metrics', () => ({ metrics: 'statsd' as MetricsFormat }), /^metrics: none, emf/],
  ['unknown wire', () => ({ wire: 'xml' as WireForm }), /^wire: cbor, json, not "xml"$/],
  ['unknown level', () => ({ logLevel: 'trace' as LogLevel }), /^logLevel: error, warn, info, debug/],
  ['empty key', () => ({ partitionKey: PartitionKey.fixed('') }), /1 to 256 characters/],
  ['long key', () => ({ partitionKey: PartitionKey.fixed('x'.repeat(257)) }), /1 to 256 characters/],
  ['half a character', () => ({ partitionKey: PartitionKey.fixed('\ud83d') }), /1 to 256 characters/],
  ['long budget', () => ({ flushBudget: Duration.millis(5400001) }), /^flushBudget in milliseconds: .* 0 to 5400000, not 5400001$/],
  ['short timeout', () => ({ bufferTimeout: Duration.millis(24) }), /25 to 30000, not 24/],
  ['long timeout', () => ({ bufferTimeout: Duration.millis(30001) }), /25 to 30000/],
  ['a fraction', () => ({ bufferTimeout: Duration.millis(25.5) }), /whole number .* not 25.5/],
  ['buffering beyond the default budget', () => ({ bufferTimeout: Duration.millis(501) }), /^bufferTimeout: no longer than flushBudget, 500 ms, /],
  ['buffering beyond the budget', () => ({ bufferTimeout: Duration.millis(501), flushBudget: Duration.millis(500) }), /^bufferTimeout: no longer than flushBudget/],
  ['small batch', () => ({ bufferMaxSize: Size.bytes(262143) }), /^bufferMaxSize in bytes: /],
  ['large batch', () => ({ bufferMaxSize: Size.bytes(1048577) }), /262144 to 1048576/],
  ['few items', () => ({ bufferMaxItems: 999 }), /1000 to 10000/],
  ['many items', () => ({ bufferMaxItems: 10001 }), /1000 to 10000/],
  ['no number', () => ({ bufferMaxItems: NaN }), /1000 to 10000/],
  ['small queue', () => ({ queueMaxSize: Size.bytes(65535) }), /65536 to 1073741824/],
  ['large queue', () => ({ queueMaxSize: Size.bytes(1073741825) }), /65536 to 1073741824/],
  ['port 0', () => ({ listenerPort: 0 }), /1 to 65535/],
  ['port 65536', () => ({ listenerPort: 65536 }), /1 to 65535/],
  ['port 9001', () => ({ listenerPort: 9001 }), /platform's own/],
  ['no connect timeout', () => ({ connectTimeout: Duration.millis(0) }), /^connectTimeout in milliseconds: .* 1 to 60000/],
  ['long request timeout', () => ({ requestTimeout: Duration.millis(60001) }), /^requestTimeout in milliseconds: .* 1 to 60000/],
  ['no attempts', () => ({ maxAttempts: 0 }), /1 to 100/],
  ['many attempts', () => ({ maxAttempts: 101 }), /1 to 100/],
  ['a proxy of https', () => ({ proxy: 'https://u:secret@proxy' }), /^proxy: environment, or http:\/\/ (?!.*secret)/],
  ['a proxy in a list', () => ({ proxy: ['http://u:secret@proxy'] as any }), /^proxy: environment, or http:\/\/ (?!.*secret)/],
  ['a proxy of SOCKS', () => ({ proxy: 'socks5://proxy' }), /^proxy: /],
  ['a proxy without a scheme', () => ({ proxy: 'proxy:3128' }), /^proxy: /],
  ['a proxy with a path', () => ({ proxy: 'http://proxy/path' }), /^proxy: /],
  ['a proxy without a host', () => ({ proxy: 'http://u:p@' }), /^proxy: /],
  ['a proxy at port 0', () => ({ proxy: 'http://proxy:0' }), /^proxy: /],
  ['a proxy at port 65536', () => ({ proxy: 'http://proxy:65536' }), /^proxy: /],
  ['a proxy with a query', () => ({ proxy: 'http://proxy?a' }), /^proxy: /],
  ['a proxy for a long user', () => ({ proxy: `http://${'u'.repeat(513)}@proxy` }), /^proxy: /],
  ['a proxy that is nothing', () => ({ proxy: '' }), /^proxy: /],
  ['no scheme', () => ({ endpointUrl: 'localhost:4566' }), /^endpointUrl: http:\/\/ or https:\/\//],
  ['no host', () => ({ endpointUrlS3: 'https:///x' }), /^endpointUrlS3: /],
  ['port too large', () => ({ endpointUrlKinesis: 'https://a:65536' }), /^endpointUrlKinesis: /],
  ['port 0 in a URL', () => ({ endpointUrlKinesis: 'https://a:0' }), /^endpointUrlKinesis: /],
  ['a query', () => ({ endpointUrl: 'https://a/?b' }), /^endpointUrl: /],
  ['a user', () => ({ endpointUrl: 'https://a@b' }), /^endpointUrl: /],
  ['FIPS and an endpoint', () => ({ endpointUrl: 'https://a', useFipsEndpoint: true }), /^useFipsEndpoint/],
  ['empty bundle', () => ({ caBundle: '' }), /^caBundle: /],
  ['long prefix', () => ({ deadLetter: DeadLetter.bucket(bucket, 'x'.repeat(513)) }), /at most 512 bytes/],
  ['wildcard in the prefix', () => ({ deadLetter: DeadLetter.bucket(bucket, 'a*') }), /at most 512 bytes/],
  ['control character in the prefix', () => ({ deadLetter: DeadLetter.bucket(bucket, 'a\n') }), /at most 512 bytes/],
  [
    'no name of a bucket',
    () => ({ deadLetter: DeadLetter.bucket({ bucketName: 'Letters' } as s3.IBucket) }),
    /not the name of a bucket/,
  ],
];

describe('settings', () => {
  for (const [name, settings, value] of SET) {
    it(`${Object.keys(settings)[0]}: ${name}=${value.slice(0, 40)}`, () => {
      assert.deepEqual(settingsEnvironment(settings), { [name]: value });
    });
  }
  for (const [name, settings, value] of OF_LINES) {
    it(`${Object.keys(settings)[0]}: ${name}=${value}, with lines`, () => {
      assert.deepEqual(
        settingsEnvironment({ aggregation: Aggregation.LINES, ...settings }),
        { TELEMETRY_AGGREGATION: 'lines', [name]: value },
      );
    });
  }
  for (const [name, settings, value] of OF_LEVELS) {
    it(`${Object.keys(settings)[0]}: ${name}=${value}, with a level above, or a sample`, () => {
      assert.deepEqual(
        settingsEnvironment({ level: LineLevel.WARN, ...settings }),
        { TELEMETRY_LEVEL: 'WARN', [name]: value },
      );
      assert.deepEqual(settingsEnvironment({ sampleRate: 0.5, ...settings }), { [name]: value, TELEMETRY_SAMPLE_RATE: '0.5' });
    });
  }
  for (const [name, settings, message] of REFUSED) {
    it(`refuses ${name}`, () => {
      assert.throws(() => settingsEnvironment(settings()), { name: 'ConfigurationError', message });
    });
  }

  it('sets nothing of what is left out', () => {
    assert.deepEqual(settingsEnvironment({ flush: undefined }), {});
  });

  it('lets FIPS and an endpoint pass where endpoints are ignored', () => {
    settingsEnvironment({ endpointUrl: 'https://a', useFipsEndpoint: true, ignoreConfiguredEndpointUrls: true });
  });

  it('lets buffering be longer than the budget where nothing is held, or is not known to be', () => {
    const bufferTimeout = Duration.seconds(30);
    const text = new CfnParameter(makeStack(), 'Text').valueAsString;
    settingsEnvironment({ bufferTimeout, flush: FlushPolicy.CONTINUOUS });
    settingsEnvironment({ bufferTimeout, flush: text as FlushPolicy });
  });

  it('lets messages have a size, and what they are anyway', () => {
    settingsEnvironment({ recordFormat: RecordFormat.CLOUDWATCH, aggregationMaxSize: Size.kibibytes(32) });
    settingsEnvironment({ recordFormat: RecordFormat.CLOUDWATCH, aggregation: Aggregation.LINES, compression: Compression.GZIP });
  });

  it('lets aggregates of half of the queue pass, and tokens', () => {
    const number = new CfnParameter(makeStack(), 'Number', { type: 'Number' }).valueAsNumber;
    const lines = { aggregation: Aggregation.LINES };
    settingsEnvironment({ ...lines, aggregationMaxSize: Size.kibibytes(32), queueMaxSize: Size.kibibytes(64) });
    settingsEnvironment({ ...lines, aggregationMaxSize: Size.kibibytes(32), queueMaxSize: Size.bytes(number) });
    settingsEnvironment({ ...lines, aggregationMaxSize: Size.bytes(number), queueMaxSize: Size.kibibytes(64) });
  });

  it('lets tokens through', () => {
    const stack = makeStack();
    const number = new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
    const list = new CfnParameter(stack, 'List', { type: 'CommaDelimitedList' }).valueAsList;
    const text = new CfnParameter(stack, 'Text').valueAsString;
    const variables = settingsEnvironment({
      types: list as TelemetryType[],
      redact: list,
      useFipsEndpoint: text as never,
      ignoreConfiguredEndpointUrls: true,
      sampleRate: number,
      filter: text,
      level: text as LineLevel,
      levelOnError: LineLevel.DEBUG,
      recordFormat: text as RecordFormat,
      flushBudget: Duration.millis(number),
      bufferMaxSize: Size.bytes(number),
      listenerPort: number,
      endpointUrl: text,
      proxy: text,
      partitionKey: PartitionKey.fixed(text),
    });
    assert.deepEqual(stack.resolve(settingsEnvironment({ types: [text as TelemetryType] })), { TELEMETRY_TYPES: { Ref: 'Text' } });
    assert.deepEqual(stack.resolve(variables), {
      TELEMETRY_TYPES: { 'Fn::Join': [',', { Ref: 'List' }] },
      TELEMETRY_REDACT: { 'Fn::Join': [',', { Ref: 'List' }] },
      TELEMETRY_SAMPLE_RATE: { Ref: 'Number' },
      TELEMETRY_FILTER: { Ref: 'Text' },
      TELEMETRY_LEVEL: { Ref: 'Text' },
      TELEMETRY_LEVEL_ON_ERROR: 'DEBUG',
      TELEMETRY_RECORD_FORMAT: { Ref: 'Text' },
      TELEMETRY_FLUSH_BUDGET_MS: { Ref: 'Number' },
      TELEMETRY_BUFFER_MAX_BYTES: { Ref: 'Number' },
      TELEMETRY_LISTENER_PORT: { Ref: 'Number' },
      AWS_ENDPOINT_URL: { Ref: 'Text' },
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
      AWS_USE_FIPS_ENDPOINT: { Ref: 'Text' },
      TELEMETRY_PROXY: { Ref: 'Text' },
      TELEMETRY_PARTITION_KEY: { 'Fn::Join': ['', ['fixed:', { Ref: 'Text' }]] },
    });
  });

  it('has a prop for every variable that the program reads', () => {
    const source = ['settings.c', 'settings_selection.c', 'settings_proxy.c']
      .map((name) => readFileSync(join(ROOT, '..', 'src', 'protocol', name), 'utf8')).join('');
    const read = new Set(source.match(/"(TELEMETRY_[A-Z_]+|AWS_[A-Z_0-9]+)"/g)!.map((name) => name.slice(1, -1)));
    const byLambda = /^AWS_(REGION|DEFAULT_REGION|LAMBDA_.*|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_.*)$/;
    const wanted = [...read].filter((name) => !byLambda.test(name));
    assert.deepEqual(wanted.filter((name) => ![...SET, ...OF_LINES, ...OF_LEVELS].some(([variable]) => variable === name)), []);
    assert.ok(wanted.length >= 32);
  });
});
