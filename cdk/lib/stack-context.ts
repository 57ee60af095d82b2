import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import { Construct } from 'constructs';
import { LayerPackaging } from './layer';
import type { TelemetryApiKinesisExtensionStackProps } from './telemetry-api-kinesis-extension-stack';
import { requireThat } from './validation';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The stack's props as the CDK context gives them (`-c KEY=VALUE`, or `context` in cdk.json):
 *
 * | Key | Value |
 * |---|---|
 * | `stackName`, `extensionName`, `policyName`, `streamName`, `parameterPrefix`, `layerDirectory`, `layerVersionArn` | text |
 * | `streamArn` | a stream that exists already |
 * | `streamMode` | `ON_DEMAND`, `PROVISIONED` |
 * | `shardCount`, `retentionHours` | whole number |
 * | `encryption` | `MANAGED`, `KMS`, `UNENCRYPTED` |
 * | `removalPolicy` (of the stream), `layerRemovalPolicy` | `destroy`, `retain` |
 * | `layerPackaging` | `universal`, `per-architecture` |
 * | `exampleFunction`, `deadLetterBucket`, `alarms`, `dashboard`, `denyCloudWatchLogs` | `true`, `false` |
 * | `CostCenter`, `Environment`, `Application`, `Owner` | value of the tag; `costCenter` and so on as well |
 *
 * Throws a ConfigurationError on a value that is none of these.
 */
export function contextProps(scope: Construct): TelemetryApiKinesisExtensionStackProps {
  const context = new Context(scope);
  const props: Mutable<TelemetryApiKinesisExtensionStackProps> = {};
  for (const key of ['stackName', 'extensionName', 'policyName', 'streamName', 'parameterPrefix', 'layerDirectory', 'layerVersionArn'] as const) {
    props[key] = context.text(key);
  }
  for (const key of ['costCenter', 'environment', 'application', 'owner'] as const) {
    props[key] = context.text(key[0].toUpperCase() + key.slice(1)) ?? context.text(key);
  }
  for (const key of ['deadLetterBucket', 'alarms', 'dashboard'] as const) {
    props[key] = context.flag(key) ? {} : undefined;
  }
  props.exampleFunction = context.flag('exampleFunction');
  props.denyCloudWatchLogs = context.flag('denyCloudWatchLogs');
  props.streamMode = context.word('streamMode', kinesis.StreamMode);
  props.encryption = context.word('encryption', kinesis.StreamEncryption);
  for (const key of ['removalPolicy', 'layerRemovalPolicy'] as const) {
    props[key] = context.word(key, { destroy: RemovalPolicy.DESTROY, retain: RemovalPolicy.RETAIN });
  }
  props.layerPackaging = context.word('layerPackaging', {
    universal: LayerPackaging.UNIVERSAL,
    'per-architecture': LayerPackaging.PER_ARCHITECTURE,
  });
  props.shardCount = context.integer('shardCount');
  const hours = context.integer('retentionHours');
  props.retentionPeriod = hours === undefined ? undefined : Duration.hours(hours);
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

/** The stream of the context key `streamArn`, if it is set. */
export function contextStream(scope: Construct): kinesis.IStream | undefined {
  const arn = new Context(scope).text('streamArn');
  return arn === undefined ? undefined : kinesis.Stream.fromStreamArn(scope, 'GivenStream', arn);
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
    return value === undefined ? undefined : String(value);
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

  public integer(key: string): number | undefined {
    const value = this.text(key);
    requireThat(value === undefined || /^\d{1,9}$/.test(value), `context ${key}: a whole number, not ${JSON.stringify(value)}`);
    return value === undefined ? undefined : Number(value);
  }
}
