import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import { Construct } from 'constructs';
import { LayerPackaging } from './layer';
import { TelemetryApiKinesisExtensionStackProps } from './stack-props';
import { isStreamArn, RecordDistribution } from './stream';
import { requireThat } from './validation';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

// All the keys there are. Each is read by contextProps() or contextStream().
const TEXT_KEYS = ['stackName', 'extensionName', 'streamName', 'policyName', 'parameterPrefix', 'layerDirectory', 'layerVersionArn'] as const;
const TAG_KEYS = ['costCenter', 'environment', 'application', 'owner'] as const;
const FLAG_KEYS = ['exampleFunction', 'denyCloudWatchLogs', 'checkAtDeploy'] as const;
const WATCH_KEYS = ['alarms', 'dashboard'] as const;
const REMOVAL_KEYS = ['removalPolicy', 'layerRemovalPolicy'] as const;
const OTHER_KEYS = [
  'streamArn',
  'streamMode',
  'recordDistribution',
  'shardCount',
  'retentionHours',
  'encryption',
  'layerPackaging',
  'deadLetterBucket',
  'deliverToBucket',
  'alarmActions',
] as const;
const CONTEXT_KEYS: string[] = [
  ...TEXT_KEYS,
  ...TAG_KEYS,
  ...TAG_KEYS.map(capitalized),
  ...FLAG_KEYS,
  ...WATCH_KEYS,
  ...REMOVAL_KEYS,
  ...OTHER_KEYS,
];

/**
 * The stack's props as the CDK context gives them (`-c KEY=VALUE`, or `context` in cdk.json):
 *
 * | Key | Value |
 * |---|---|
 * | `stackName`, `extensionName`, `policyName`, `streamName`, `parameterPrefix`, `layerDirectory`, `layerVersionArn` | text |
 * | `streamArn` | a stream that exists already |
 * | `streamMode` | `ON_DEMAND`, `PROVISIONED` |
 * | `recordDistribution` | `USER_PARTITION_KEY`, `AUTO` |
 * | `shardCount`, `retentionHours` | whole number |
 * | `encryption` | `MANAGED`, `KMS`, `UNENCRYPTED` |
 * | `removalPolicy` (of the stream), `layerRemovalPolicy` | `destroy`, `retain` |
 * | `layerPackaging` | `universal`, `per-architecture` |
 * | `alarms`, `dashboard` | `true`, `false`, `functions`: without the stream |
 * | `alarmActions` | ARNs of SNS topics and what else alarms can have, as a list or with commas between |
 * | `exampleFunction`, `deadLetterBucket`, `deliverToBucket`, `denyCloudWatchLogs`, `checkAtDeploy` | `true`, `false` |
 * | `CostCenter`, `Environment`, `Application`, `Owner` | value of the tag; `costCenter` and so on as well |
 *
 * Throws a ConfigurationError on a value that is none of these, and on keys that contradict each other.
 */
export function contextProps(scope: Construct): TelemetryApiKinesisExtensionStackProps {
  const context = new Context(scope);
  const props: Mutable<TelemetryApiKinesisExtensionStackProps> = {};
  for (const key of TEXT_KEYS) {
    props[key] = context.text(key);
  }
  for (const key of TAG_KEYS) {
    props[key] = context.either(capitalized(key), key);
  }
  for (const key of FLAG_KEYS) {
    props[key] = context.flag(key);
  }
  for (const key of WATCH_KEYS) {
    props[key] = context.word(key, { true: {}, false: undefined, functions: { watchStream: false } });
  }
  props.deadLetterBucket = context.flag('deadLetterBucket') ? {} : undefined;
  props.deliverToBucket = context.flag('deliverToBucket') ? {} : undefined;
  props.streamMode = context.word('streamMode', kinesis.StreamMode);
  props.recordDistribution = context.word('recordDistribution', RecordDistribution);
  props.encryption = context.word('encryption', kinesis.StreamEncryption);
  for (const key of REMOVAL_KEYS) {
    props[key] = context.word(key, { destroy: RemovalPolicy.DESTROY, retain: RemovalPolicy.RETAIN });
  }
  props.layerPackaging = context.word('layerPackaging', {
    universal: LayerPackaging.UNIVERSAL,
    'per-architecture': LayerPackaging.PER_ARCHITECTURE,
  });
  props.shardCount = context.integer('shardCount');
  const hours = context.integer('retentionHours', 24, 8760);
  props.retentionPeriod = hours === undefined ? undefined : Duration.hours(hours);
  const actions = alarmActions(context);
  if (actions.length > 0) {
    requireThat(props.alarms !== undefined, 'context alarmActions: of alarms, and there are none: alarms=true');
    props.alarms = { ...props.alarms, actions };
  }
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

/** The stream of the context key `streamArn`, if it is set. */
export function contextStream(scope: Construct): kinesis.IStream | undefined {
  const context = new Context(scope);
  const arn = context.text('streamArn');
  if (arn === undefined) {
    return undefined;
  }
  // The policy for removal may be the bucket's, or that of the check's log.
  const ofNew = ['streamName', 'streamMode', 'recordDistribution', 'shardCount', 'retentionHours', 'encryption', ...(context.flag('deadLetterBucket') || context.flag('checkAtDeploy') ? [] : ['removalPolicy'])];
  const useless = ofNew.find((key) => context.text(key) !== undefined);
  requireThat(useless === undefined, `context ${useless}: of a new stream, and streamArn names one that exists: leave one of them out`);
  requireThat(isStreamArn(arn), `context streamArn: arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME, not ${JSON.stringify(arn)}`);
  return kinesis.Stream.fromStreamArn(scope, 'GivenStream', arn);
}

/**
 * Refuses context that nobody reads, as a misspelled key is: for this repository's app, whose context is
 * the stack's alone. What the CDK has there has a colon, a slash or a hyphen in its name.
 */
export function checkContextKeys(scope: Construct): void {
  // getAllContext() is of constructs 10.2, later than the oldest that this package takes.
  const node: any = scope.node;
  const keys = Object.keys(node.getAllContext?.() ?? node._context ?? {}).filter((key) => !CONTEXT_KEYS.includes(key));
  const lines = keys.flatMap((key) => {
    const meant = CONTEXT_KEYS.find((known) => isLike(key, known));
    if (meant === undefined && /[:/-]/.test(key)) {
      return [];
    }
    return `context ${key}: no such key${meant === undefined ? '; cdk/README.md has the list' : `: is ${meant} meant?`}`;
  });
  requireThat(lines.length === 0, lines.join('\n'));
  // Other apps attach functions of their own to the stack.
  const context = new Context(scope);
  requireThat(
    context.text('checkAtDeploy') !== 'true' || context.text('exampleFunction') !== 'false',
    'context checkAtDeploy: of the example function, and there is none: leave exampleFunction out',
  );
}

// Two letters off in a long name, or written another way.
function isLike(key: string, known: string): boolean {
  const [a, b] = [key, known].map((text) => text.toLowerCase().replace(/[^a-z0-9]/g, ''));
  return distance(a, b) <= (known.length > 5 ? 2 : 1);
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = [...b, ''].map((_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

function capitalized(key: string): string {
  return key[0].toUpperCase() + key.slice(1);
}

function alarmActions(context: Context): cloudwatch.IAlarmAction[] {
  return context.list('alarmActions').map((alarmActionArn) => {
    requireThat(
      /^arn:aws[A-Za-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[^:]*:\S+$/.test(alarmActionArn),
      `context alarmActions: ARNs, as arn:aws:sns:us-east-1:123456789012:alarms, not ${JSON.stringify(alarmActionArn)}`,
    );
    return { bind: () => ({ alarmActionArn }) };
  });
}

/** Values of the command line are text; in cdk.json they have types. */
class Context {
  public constructor(private readonly scope: Construct) {}

  public text(key: string): string | undefined {
    const value: unknown = this.scope.node.tryGetContext(key);
    requireThat(
      value === undefined || (['string', 'number', 'boolean'].includes(typeof value) && value !== ''),
      `context ${key}: a text, not ${JSON.stringify(value)}`,
    );
    return value === undefined ? undefined : `${value as string | number | boolean}`;
  }

  public word<T>(key: string, words: Record<string, T>): T | undefined {
    const value = this.text(key);
    const word = Object.keys(words).find((name) => name.toLowerCase() === value?.toLowerCase().replace('on-demand', 'on_demand'));
    requireThat(
      value === undefined || word !== undefined,
      `context ${key}: ${Object.keys(words).join(' or ')}, not ${JSON.stringify(value)}`,
    );
    return word === undefined ? undefined : words[word];
  }

  public flag(key: string): boolean | undefined {
    return this.word(key, { true: true, false: false });
  }

  public integer(key: string, least = 0, most = Infinity): number | undefined {
    const value = this.text(key);
    requireThat(value === undefined || /^\d{1,9}$/.test(value), `context ${key}: a whole number, not ${JSON.stringify(value)}`);
    const number = value === undefined ? undefined : Number(value);
    requireThat(number === undefined || (number >= least && number <= most), `context ${key}: ${least} to ${most}, not ${number}`);
    return number;
  }

  /** A text that has two names. */
  public either(one: string, other: string): string | undefined {
    const [a, b] = [this.text(one), this.text(other)];
    requireThat(a === undefined || b === undefined || a === b, `context ${one}, ${other}: the same, with two values: leave one of them out`);
    return a ?? b;
  }

  /** Of the command line with commas between. */
  public list(key: string): string[] {
    const value: unknown = this.scope.node.tryGetContext(key);
    if (Array.isArray(value)) {
      return value.map(String);
    }
    return (this.text(key) ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
  }
}
