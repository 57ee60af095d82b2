import { Duration, Fn, Size, SizeRoundingBehavior, Token } from 'aws-cdk-lib';
import { DeadLetter } from './dead-letter';
import { DURATION, FLAG, Kind, listOf, oneOf, requireKind, shown, SIZE, TEXT } from './kinds';
import { requireThat } from './validation';

/** Kinds of telemetry that Lambda knows. */
export enum TelemetryType {
  /** What the platform itself reports: starts, ends, durations, errors. */
  PLATFORM = 'platform',
  /** What the function logs. */
  FUNCTION = 'function',
  /** What extensions log. */
  EXTENSION = 'extension',
}

/** What a record of the stream holds. */
export enum RecordFormat {
  /** The value of `record.message`; a record without one whole, a text line as a JSON string. */
  MESSAGE = 'message',
  /** The event exactly as Lambda sent it. */
  EVENT = 'event',
  /** The event and the function's name, version, account, region, sandbox, `seq`, request id, cold start, trace, level. */
  ENRICHED = 'enriched',
  /**
   * A CloudWatch Logs subscription message with several events, compressed: what a subscription filter would have put into
   * the stream. With `denyCloudWatchLogs` it replaces log group and filter.
   */
  CLOUDWATCH = 'cloudwatch',
}

/** Which of the platform's events a record has of a function that logs in JSON, by Lambda's own table of system log levels. */
export enum SystemLevel {
  DEBUG = 'DEBUG',
  INFO = 'INFO',
  WARN = 'WARN',
}

/** When the extension lets Lambda have the sandbox back. */
export enum FlushPolicy {
  /** The invocation is held until its telemetry is delivered, `flushBudget` at most. */
  END = 'end',
  /** Never held: telemetry is sent while functions run. */
  CONTINUOUS = 'continuous',
  /** As `CONTINUOUS` while invocations follow each other closely, as `END` otherwise. */
  ADAPTIVE = 'adaptive',
}

/** Whether a record of the stream holds several events. */
export enum Aggregation {
  /** One event each: what Lambda's event filters and most consumers expect. */
  NONE = 'none',
  /** Several, each ended by a newline: newline-delimited JSON. */
  LINES = 'lines',
}

/** Whether the records of the stream are compressed. */
export enum Compression {
  NONE = 'none',
  /** Each record is one gzip member. */
  GZIP = 'gzip',
}

/** How severe a line is, by Lambda's own names. */
export enum LineLevel {
  TRACE = 'TRACE',
  DEBUG = 'DEBUG',
  INFO = 'INFO',
  WARN = 'WARN',
  ERROR = 'ERROR',
  FATAL = 'FATAL',
}

/** What becomes of a record that is larger than Kinesis takes. */
export enum OversizePolicy {
  /** Its longest string is cut, with a note in its place; JSON stays valid. */
  TRUNCATE = 'truncate',
  /** It becomes several records. */
  SPLIT = 'split',
  /** It is dropped and counted. */
  DROP = 'drop',
}

/** Which records go when the queue is full and nothing can be waited for. */
export enum DropPolicy {
  NEWEST = 'newest',
  OLDEST = 'oldest',
}

/** How the extension's counters are published. */
export enum MetricsFormat {
  /** Only the ledger line at the end of a sandbox. */
  NONE = 'none',
  /** Log lines in embedded metric format, which CloudWatch makes metrics of. */
  EMF = 'emf',
}

/** What requests to Kinesis are written in. */
export enum WireForm {
  /** Data as it is. Where the endpoint turns out not to take it, the extension goes over to `JSON`. */
  CBOR = 'cbor',
  /** Data in base64, a third longer. */
  JSON = 'json',
}

/** Which of its own log lines the extension writes. */
export enum LogLevel {
  ERROR = 'error',
  WARN = 'warn',
  INFO = 'info',
  DEBUG = 'debug',
}

/** By which key records are spread over the stream's shards. */
export class PartitionKey {
  /** Another key for every record: even load. */
  public static readonly RANDOM = new PartitionKey('random');
  /** One key for the life of a sandbox: its records keep their order. */
  public static readonly SANDBOX = new PartitionKey('sandbox');
  /** The request id: the records of an invocation stay together. */
  public static readonly REQUEST = new PartitionKey('request');
  /**
   * None, for streams whose record distribution is `AUTO`: consumers find a null key, or an empty one. Of another stream the
   * extension finds out with its first call, and gives random keys from then on, with a warning.
   */
  public static readonly NONE = new PartitionKey('none');

  /**
   * The same key for everything, so that all of it goes to one shard.
   *
   * @param text 1 to 256 characters
   */
  public static fixed(text: string): PartitionKey {
    requireKind('PartitionKey.fixed()', text, TEXT);
    requireThat(
      Token.isUnresolved(text) || ([...text].length >= 1 && [...text].length <= 256 && isUnicode(text)),
      `PartitionKey.fixed() takes 1 to 256 characters, not ${JSON.stringify(text)}`,
    );
    return new PartitionKey(`fixed:${text}`);
  }

  private constructor(/** As the extension reads it. */ public readonly value: string) {}
}

/**
 * The extension's settings. What is left out is not set on the function, so that the extension's own
 * default counts. Values are checked as the extension checks them; tokens are let through.
 *
 * Lambda gives all environment variables to the function as well: AWS SDKs in it follow the `AWS_`
 * ones among these too.
 */
export interface TelemetrySettings {
  /**
   * What to forward: `TELEMETRY_TYPES`.
   *
   * @default [TelemetryType.FUNCTION]
   */
  readonly types?: TelemetryType[];

  /**
   * What a record holds: `TELEMETRY_RECORD_FORMAT`.
   *
   * @default RecordFormat.MESSAGE
   */
  readonly recordFormat?: RecordFormat;

  /**
   * The name of the log group that records are of, with `RecordFormat.CLOUDWATCH`: `TELEMETRY_LOG_GROUP`.
   *
   * @default - that of the function's logging configuration, or `/aws/lambda/` and its name
   */
  readonly logGroup?: string;

  /**
   * With `RecordFormat.CLOUDWATCH` and `TelemetryType.PLATFORM`, of functions that log in JSON: `TELEMETRY_SYSTEM_LEVEL`.
   *
   * @default - that of the function's logging configuration, or SystemLevel.INFO
   */
  readonly systemLevel?: SystemLevel;

  /**
   * How records are spread over shards: `TELEMETRY_PARTITION_KEY`.
   *
   * @default PartitionKey.RANDOM, or NONE for a new stream with RecordDistribution.AUTO
   */
  readonly partitionKey?: PartitionKey;

  /**
   * Whether a record holds several events: `TELEMETRY_AGGREGATION`. `src/README.md` tells which form suits which consumer.
   *
   * @default Aggregation.NONE
   */
  readonly aggregation?: Aggregation;

  /**
   * The most that a record of several events has, before compression, 1 KiB to 1,000,000 bytes, and no more than half of
   * `queueMaxSize`: `TELEMETRY_AGGREGATION_MAX_BYTES`. Only with `aggregation`, or `RecordFormat.CLOUDWATCH`.
   *
   * @default Size.kibibytes(256), or half of `queueMaxSize`
   */
  readonly aggregationMaxSize?: Size;

  /**
   * How long what waits for no flush waits for company, 0 to 1 minute: `TELEMETRY_LINGER_MS`.
   *
   * @default Duration.millis(200)
   */
  readonly linger?: Duration;

  /**
   * Whether records are compressed: `TELEMETRY_COMPRESSION`.
   *
   * @default Compression.NONE
   */
  readonly compression?: Compression;

  /**
   * Lines below this level are not sent: `TELEMETRY_LEVEL`.
   *
   * @default - all are
   */
  readonly level?: LineLevel;

  /**
   * The level of lines that tell none: `TELEMETRY_LEVEL_DEFAULT`.
   *
   * @default - none, so they are sent
   */
  readonly levelDefault?: LineLevel;

  /**
   * Lines from this level on, below `level` or of invocations that are not in the sample, are held, and sent if their
   * invocation fails: `TELEMETRY_LEVEL_ON_ERROR`. Only with a higher `level`, or a `sampleRate` below 1.
   *
   * @default - none
   */
  readonly levelOnError?: LineLevel;

  /**
   * The most that is held for that, 4 KiB to 1 GiB; the oldest lines make room: `TELEMETRY_HELD_MAX_BYTES`.
   *
   * @default Size.kibibytes(256)
   */
  readonly heldMaxSize?: Size;

  /**
   * Which lines are sent, as a filter pattern of CloudWatch Logs, without regular expressions: `TELEMETRY_FILTER`. Its
   * syntax is not looked at here: with a wrong one all lines are sent, and the extension says so at each start, as does
   * `--check`.
   *
   * @default - all
   */
  readonly filter?: string;

  /**
   * Share of invocations whose lines are sent, 0 to 1 with at most six digits behind the point:
   * `TELEMETRY_SAMPLE_RATE`.
   *
   * @default 1
   */
  readonly sampleRate?: number;

  /**
   * Names of JSON members whose values are replaced, with `*` at either end for any text: `TELEMETRY_REDACT`.
   *
   * @default - none
   */
  readonly redact?: string[];

  /**
   * Whether invocations are held until their telemetry is delivered: `TELEMETRY_FLUSH`.
   *
   * @default FlushPolicy.ADAPTIVE
   */
  readonly flush?: FlushPolicy;

  /**
   * The most that an invocation is held after the function has ended, 0 to 90 minutes:
   * `TELEMETRY_FLUSH_BUDGET_MS`.
   *
   * @default Duration.millis(500)
   */
  readonly flushBudget?: Duration;

  /**
   * An invocation is held no longer than this after telemetry last came, even where nothing tells that its
   * end was lost on the way; 0 (never) to 90 minutes: `TELEMETRY_HOLD_SILENCE_MS`. For functions with a long
   * time-out that are never silent for as long.
   *
   * @default Duration.millis(0)
   */
  readonly holdSilence?: Duration;

  /**
   * How long Lambda collects telemetry before it hands it over, 25 ms to 30 s, and no longer than
   * `flushBudget` unless `flush` is CONTINUOUS: `TELEMETRY_BUFFER_TIMEOUT_MS`.
   *
   * @default Duration.millis(25)
   */
  readonly bufferTimeout?: Duration;

  /**
   * The largest batch that Lambda hands over, 256 KiB to 1 MiB: `TELEMETRY_BUFFER_MAX_BYTES`.
   *
   * @default Size.mebibytes(1)
   */
  readonly bufferMaxSize?: Size;

  /**
   * The most events that Lambda hands over at once, 1000 to 10000: `TELEMETRY_BUFFER_MAX_ITEMS`.
   *
   * @default 10000
   */
  readonly bufferMaxItems?: number;

  /**
   * What becomes of a record larger than Kinesis takes: `TELEMETRY_OVERSIZE`.
   *
   * @default OversizePolicy.TRUNCATE
   */
  readonly oversize?: OversizePolicy;

  /**
   * Which records go when the queue is full: `TELEMETRY_DROP`.
   *
   * @default DropPolicy.NEWEST
   */
  readonly drop?: DropPolicy;

  /**
   * Where records go that Kinesis does not take: `TELEMETRY_DEAD_LETTER`. Functions get the
   * permission that this needs.
   *
   * @default - nowhere; the construct's new bucket where it has `deadLetterBucket`
   */
  readonly deadLetter?: DeadLetter;

  /**
   * Whether the counters become CloudWatch metrics: `TELEMETRY_METRICS`.
   *
   * @default MetricsFormat.NONE; MetricsFormat.EMF where the construct has alarms or a dashboard
   */
  readonly metrics?: MetricsFormat;

  /**
   * Size of the extension's queue, 64 KiB to 1 GiB; memory is taken as it fills:
   * `TELEMETRY_QUEUE_MAX_BYTES`.
   *
   * @default Size.mebibytes(4)
   */
  readonly queueMaxSize?: Size;

  /**
   * Port of the extension's listener, 1 to 65535 except 9001; a taken one is replaced by a free one:
   * `TELEMETRY_LISTENER_PORT`.
   *
   * @default 4243
   */
  readonly listenerPort?: number;

  /**
   * Time for name, TCP and TLS together, 1 ms to 1 minute: `TELEMETRY_CONNECT_TIMEOUT_MS`.
   *
   * @default Duration.millis(500), or 3,100 ms to a stream of another region
   */
  readonly connectTimeout?: Duration;

  /**
   * The longest silence of Kinesis during a request, 1 ms to 1 minute:
   * `TELEMETRY_REQUEST_TIMEOUT_MS`.
   *
   * @default Duration.millis(500), or 3,100 ms to a stream of another region
   */
  readonly requestTimeout?: Duration;

  /**
   * What requests to Kinesis are written in: `TELEMETRY_WIRE`.
   *
   * @default WireForm.CBOR
   */
  readonly wire?: WireForm;

  /**
   * The extension's own log lines: `TELEMETRY_LOG_LEVEL`.
   *
   * @default LogLevel.WARN
   */
  readonly logLevel?: LogLevel;

  /**
   * Failed calls in a row that open the circuit breaker, and refusals of one record before it goes to
   * the dead letter, 1 to 100: `AWS_MAX_ATTEMPTS`.
   *
   * @default 5
   */
  readonly maxAttempts?: number;

  /**
   * Another endpoint for every service: `AWS_ENDPOINT_URL`.
   *
   * @default - the region's endpoints
   */
  readonly endpointUrl?: string;

  /**
   * Another endpoint for Kinesis: `AWS_ENDPOINT_URL_KINESIS`.
   *
   * @default - `endpointUrl`, or the endpoint of the stream's region
   */
  readonly endpointUrlKinesis?: string;

  /**
   * Another endpoint for S3: `AWS_ENDPOINT_URL_S3`.
   *
   * @default - `endpointUrl`, or the region's endpoint
   */
  readonly endpointUrlS3?: string;

  /**
   * No configured endpoint is used: `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`.
   *
   * @default false
   */
  readonly ignoreConfiguredEndpointUrls?: boolean;

  /**
   * The regions' FIPS endpoints: `AWS_USE_FIPS_ENDPOINT`.
   *
   * @default false
   */
  readonly useFipsEndpoint?: boolean;

  /**
   * The regions' endpoints for IPv4 and IPv6: `AWS_USE_DUALSTACK_ENDPOINT`.
   *
   * @default false
   */
  readonly useDualstackEndpoint?: boolean;

  /**
   * The proxy by which the stream, and the bucket of dead letters, are reached: `http://[USER:PASSWORD@]HOST[:PORT]`,
   * with what is special in user and password escaped; or `environment`, the function's own `HTTPS_PROXY` and
   * `NO_PROXY`. `TELEMETRY_PROXY`. A password is then in the template and in the function's configuration, unless it is
   * a token, such as a dynamic reference to a secret.
   *
   * @default - none, whatever the function's own variables say
   */
  readonly proxy?: string;

  /**
   * File of PEM certificates that replaces the built-in roots, as the function sees it, for example
   * `/var/task/ca.pem`: `AWS_CA_BUNDLE`.
   *
   * @default - Amazon's roots, which are built in
   */
  readonly caBundle?: string;
}

const PARTITION_KEY: Kind = {
  is: (value) => value instanceof PartitionKey,
  what: 'PartitionKey.RANDOM, SANDBOX, REQUEST, NONE or PartitionKey.fixed(…)',
};
const DEAD_LETTER: Kind = {
  is: (value) => value instanceof DeadLetter,
  what: 'DeadLetter.NONE, STDERR or DeadLetter.bucket(…)',
};

/** The settings as environment variables; throws on the first value, or combination, that the extension would refuse. */
export function settingsEnvironment(settings: TelemetrySettings): Record<string, string> {
  const variables = someSettings(settings);
  // Of the right kind, all of them, by now.
  checkBuffering(settings);
  checkMessages(settings);
  checkAggregation(settings);
  checkHeld(settings);
  return variables;
}

/** The same of settings that come to others, with which they may go together or not: throws on the first wrong value. */
export function someSettings(settings: TelemetrySettings): Record<string, string> {
  requireKind('partitionKey', settings.partitionKey, PARTITION_KEY);
  requireKind('deadLetter', settings.deadLetter, DEAD_LETTER);
  checkEndpoints(settings);
  const variables: Record<string, string | undefined> = {
    TELEMETRY_TYPES: types(settings.types),
    TELEMETRY_RECORD_FORMAT: word('recordFormat', settings.recordFormat, RecordFormat),
    TELEMETRY_LOG_GROUP: logGroupName(settings.logGroup),
    TELEMETRY_SYSTEM_LEVEL: word('systemLevel', settings.systemLevel, SystemLevel),
    TELEMETRY_PARTITION_KEY: settings.partitionKey?.value,
    TELEMETRY_AGGREGATION: word('aggregation', settings.aggregation, Aggregation),
    TELEMETRY_AGGREGATION_MAX_BYTES: bytes('aggregationMaxSize', settings.aggregationMaxSize, 1024, 1000000),
    TELEMETRY_LINGER_MS: millis('linger', settings.linger, 0, 60000),
    TELEMETRY_COMPRESSION: word('compression', settings.compression, Compression),
    TELEMETRY_LEVEL: word('level', settings.level, LineLevel),
    TELEMETRY_LEVEL_DEFAULT: word('levelDefault', settings.levelDefault, LineLevel),
    TELEMETRY_LEVEL_ON_ERROR: word('levelOnError', settings.levelOnError, LineLevel),
    TELEMETRY_HELD_MAX_BYTES: bytes('heldMaxSize', settings.heldMaxSize, 4096, 1073741824),
    TELEMETRY_FILTER: pattern(settings.filter),
    TELEMETRY_SAMPLE_RATE: rate(settings.sampleRate),
    TELEMETRY_REDACT: names(settings.redact),
    TELEMETRY_FLUSH: word('flush', settings.flush, FlushPolicy),
    TELEMETRY_FLUSH_BUDGET_MS: millis('flushBudget', settings.flushBudget, 0, 5400000),
    TELEMETRY_HOLD_SILENCE_MS: millis('holdSilence', settings.holdSilence, 0, 5400000),
    TELEMETRY_BUFFER_TIMEOUT_MS: millis('bufferTimeout', settings.bufferTimeout, 25, 30000),
    TELEMETRY_BUFFER_MAX_BYTES: bytes('bufferMaxSize', settings.bufferMaxSize, 262144, 1048576),
    TELEMETRY_BUFFER_MAX_ITEMS: integer('bufferMaxItems', settings.bufferMaxItems, 1000, 10000),
    TELEMETRY_OVERSIZE: word('oversize', settings.oversize, OversizePolicy),
    TELEMETRY_DROP: word('drop', settings.drop, DropPolicy),
    TELEMETRY_DEAD_LETTER: settings.deadLetter?.value,
    TELEMETRY_METRICS: word('metrics', settings.metrics, MetricsFormat),
    TELEMETRY_QUEUE_MAX_BYTES: bytes('queueMaxSize', settings.queueMaxSize, 65536, 1073741824),
    TELEMETRY_LISTENER_PORT: port(settings.listenerPort),
    TELEMETRY_CONNECT_TIMEOUT_MS: millis('connectTimeout', settings.connectTimeout, 1, 60000),
    TELEMETRY_REQUEST_TIMEOUT_MS: millis('requestTimeout', settings.requestTimeout, 1, 60000),
    TELEMETRY_WIRE: word('wire', settings.wire, WireForm),
    TELEMETRY_LOG_LEVEL: word('logLevel', settings.logLevel, LogLevel),
    AWS_MAX_ATTEMPTS: integer('maxAttempts', settings.maxAttempts, 1, 100),
    AWS_ENDPOINT_URL: url('endpointUrl', settings.endpointUrl),
    AWS_ENDPOINT_URL_KINESIS: url('endpointUrlKinesis', settings.endpointUrlKinesis),
    AWS_ENDPOINT_URL_S3: url('endpointUrlS3', settings.endpointUrlS3),
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: flag('ignoreConfiguredEndpointUrls', settings.ignoreConfiguredEndpointUrls),
    AWS_USE_FIPS_ENDPOINT: flag('useFipsEndpoint', settings.useFipsEndpoint),
    AWS_USE_DUALSTACK_ENDPOINT: flag('useDualstackEndpoint', settings.useDualstackEndpoint),
    TELEMETRY_PROXY: proxyUrl(settings.proxy),
    AWS_CA_BUNDLE: file('caBundle', settings.caBundle),
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The settings that `overrides` gives, and others from `settings`. */
export function withOverrides(settings: TelemetrySettings, overrides: TelemetrySettings): TelemetrySettings {
  return { ...settings, ...Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) };
}

function types(value?: TelemetryType[]): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (Token.isUnresolved(value)) {
    return Fn.join(',', value);
  }
  requireKind('types', value, listOf(oneOf(TelemetryType)));
  requireThat(value.length > 0, 'types: at least one of platform, function, extension');
  return [...new Set(value)].join(',');
}

function word(name: string, value: string | undefined, allowed: Record<string, string>): string | undefined {
  requireKind(name, value, oneOf(allowed));
  return value;
}

function pattern(value?: string): string | undefined {
  requireKind('filter', value, TEXT);
  requireThat(
    value === undefined || Token.isUnresolved(value) || Buffer.byteLength(value) <= 1024,
    'filter: a filter pattern of at most 1024 bytes',
  );
  return value;
}

function rate(value?: number): string | undefined {
  if (value === undefined || Token.isUnresolved(value)) {
    return value === undefined ? undefined : Token.asString(value);
  }
  requireThat(
    typeof value === 'number' && value >= 0 && value <= 1 && Number(value.toFixed(6)) === value,
    `sampleRate: 0 to 1, at most six digits behind the point, not ${shown(value)}`,
  );
  return value.toFixed(6).replace(/\.?0+$/, '');
}

function names(value?: string[]): string | undefined {
  if (value === undefined || Token.isUnresolved(value)) {
    return value && Fn.join(',', value);
  }
  requireKind('redact', value, listOf(TEXT));
  requireThat(
    value.length > 0 && value.every((one) => Token.isUnresolved(one) || (/^\*?[^*,]*\*?$/.test(one) && one.trim() !== '')),
    `redact: names, * at either end of each, not ${JSON.stringify(value)}`,
  );
  return value.join(',');
}

function flag(name: string, value?: boolean): string | undefined {
  requireKind(name, value, { ...FLAG, tokens: true });
  return value === undefined || typeof value === 'boolean' ? value?.toString() : Token.asString(value);
}

function integer(name: string, value: number | undefined, least: number, most: number): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (Token.isUnresolved(value)) {
    return Token.asString(value);
  }
  requireThat(
    Number.isInteger(value) && value >= least && value <= most,
    `${name}: a whole number from ${least} to ${most}, not ${shown(value)}`,
  );
  return value.toString();
}

// By hand, since toMilliseconds() and toBytes() refuse fractions in words of their own.
function millis(name: string, value: Duration | undefined, least: number, most: number): string | undefined {
  requireKind(name, value, DURATION);
  const number = value && (value.isUnresolved() ? value.toMilliseconds() : value.toMilliseconds({ integral: false }));
  return integer(`${name} in milliseconds`, number, least, most);
}

function bytes(name: string, value: Size | undefined, least: number, most: number): string | undefined {
  requireKind(name, value, SIZE);
  const whole = value === undefined || value.isUnresolved();
  const number = whole ? value?.toBytes() : value.toKibibytes({ rounding: SizeRoundingBehavior.NONE }) * 1024;
  return integer(`${name} in bytes`, number, least, most);
}

function port(value?: number): string | undefined {
  requireThat(value !== 9001, 'listenerPort: 1 to 65535 without 9001, which is the platform\'s own');
  return integer('listenerPort', value, 1, 65535);
}

// As endpoint_url() of src/protocol/endpoint.c reads them.
const URL = /^https?:\/\/(\[[A-Za-z0-9:.]+\]|[A-Za-z0-9._-]+)(?::(\d*))?(?:\/[A-Za-z0-9/._~%-]*)?$/;

function url(name: string, value?: string): string | undefined {
  requireKind(name, value, TEXT);
  if (value === undefined || Token.isUnresolved(value)) {
    return value;
  }
  const [, host, number] = URL.exec(value) ?? [];
  requireThat(
    host !== undefined && host.length <= 253 && (!number || (Number(number) >= 1 && Number(number) <= 65535)),
    `${name}: http:// or https://, host, optional :port and /path, not ${JSON.stringify(value)}`,
  );
  return value;
}

// As proxy_url() of src/protocol/proxy.c reads it.
const PROXY = /^http:\/\/(?:([^/]*)@)?([^/@]*)\/?$/i;

// What was given is not told, since it may have a password.
function proxyUrl(value?: string): string | undefined {
  if (value === undefined || Token.isUnresolved(value) || value === 'environment') {
    return value;
  }
  const [, user = '', authority = ''] = (typeof value === 'string' && PROXY.exec(value)) || [];
  const [, host, number] = URL.exec(`http://${authority}`) ?? [];
  requireThat(
    host !== undefined && host.length <= 253 && (!number || (Number(number) >= 1 && Number(number) <= 65535)) &&
    Buffer.byteLength(user) <= 512,
    'proxy: environment, or http:// with host, optional USER:PASSWORD@ before it and :PORT behind it, not anything else',
  );
  return value;
}

// Source: CloudWatch Logs API, CreateLogGroup.
function logGroupName(value?: string): string | undefined {
  requireKind('logGroup', value, TEXT);
  requireThat(
    value === undefined || Token.isUnresolved(value) || /^[A-Za-z0-9_\-/.#]{1,512}$/.test(value),
    `logGroup: 1 to 512 letters, digits or _ - / . #, not ${shown(value)}`,
  );
  return value;
}

// The extension would use what it can have, and say so at each start.
function checkMessages({ recordFormat, aggregation, compression, oversize }: TelemetrySettings): void {
  if (recordFormat !== RecordFormat.CLOUDWATCH) {
    return;
  }
  requireThat(aggregation !== Aggregation.NONE, 'aggregation: lines, or left out, with recordFormat: cloudwatch, not none');
  requireThat(compression !== Compression.NONE, 'compression: gzip, or left out, with recordFormat: cloudwatch, not none');
  requireThat(oversize !== OversizePolicy.SPLIT, 'oversize: truncate, drop, or left out, with recordFormat: cloudwatch, not split');
}

function file(name: string, value?: string): string | undefined {
  requireKind(name, value, TEXT);
  requireThat(
    value === undefined || Token.isUnresolved(value) || value.startsWith('/'),
    `${name}: the path of a file from the root, as /var/task/ca.pem, not ${shown(value)}`,
  );
  return value;
}

function checkEndpoints(s: TelemetrySettings): void {
  const given = [s.endpointUrl, s.endpointUrlKinesis, s.endpointUrlS3].some((value) => value !== undefined);
  requireThat(
    !given || s.ignoreConfiguredEndpointUrls === true || !(s.useFipsEndpoint || s.useDualstackEndpoint),
    'useFipsEndpoint and useDualstackEndpoint choose among the regions\' endpoints: leave them out where an endpoint URL is given',
  );
}

// The extension would use the shorter one, and say so at each start.
function checkBuffering({ bufferTimeout, flushBudget = Duration.millis(500), flush }: TelemetrySettings): void {
  if (bufferTimeout === undefined || flush === FlushPolicy.CONTINUOUS || [bufferTimeout, flushBudget, flush].some(isUnknown)) {
    return;
  }
  requireThat(
    bufferTimeout.toMilliseconds() <= Math.max(25, flushBudget.toMilliseconds()),
    `bufferTimeout: no longer than flushBudget, ${flushBudget.toMilliseconds()} ms, since the end of an invocation is told as late`,
  );
}

function isUnknown(value?: string | Duration): boolean {
  return value instanceof Duration ? value.isUnresolved() : Token.isUnresolved(value);
}

// The extension would use none of it, or half of the queue, and say so at each start.
function checkAggregation({ recordFormat, aggregation, aggregationMaxSize, queueMaxSize = Size.mebibytes(4) }: TelemetrySettings): void {
  if (aggregationMaxSize === undefined || Token.isUnresolved(aggregation)) {
    return;
  }
  const shownSize = aggregationMaxSize.isUnresolved() ? 'a token' : `${aggregationMaxSize.toBytes()} bytes`;
  requireThat(
    aggregation === Aggregation.LINES || recordFormat === RecordFormat.CLOUDWATCH,
    `aggregationMaxSize: ${shownSize} (TELEMETRY_AGGREGATION_MAX_BYTES) needs aggregation: lines with it, not ${aggregation ?? 'none'}`,
  );
  const half = queueMaxSize.isUnresolved() ? Infinity : Math.floor(queueMaxSize.toBytes() / 2);
  requireThat(
    aggregationMaxSize.isUnresolved() || aggregationMaxSize.toBytes() <= half,
    `aggregationMaxSize in bytes: at most half of queueMaxSize, ${half}, not ${shownSize}`,
  );
}

// The extension would hold nothing, and say so at each start.
function checkHeld({ level, levelOnError, sampleRate = 1 }: TelemetrySettings): void {
  const levels: string[] = Object.values(LineLevel);
  if (levelOnError === undefined || [level, levelOnError, sampleRate].some((one) => Token.isUnresolved(one))) {
    return;
  }
  requireThat(
    sampleRate < 1 || levels.indexOf(levelOnError) < levels.indexOf(level ?? ''),
    'levelOnError: a level below level, or a sampleRate below 1 with it',
  );
}

function isUnicode(text: string): boolean {
  return !/[\uD800-\uDFFF]/u.test(text);
}
