import { Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { DURATION, KEY, known, NUMBER, oneOf, REMOVAL_POLICY, requireKinds, TEXT } from './kinds';
import { requireThat } from './validation';

/** By what a stream spreads its records over its shards. */
export enum RecordDistribution {
  /** By each record's partition key. */
  USER_PARTITION_KEY = 'USER_PARTITION_KEY',
  /**
   * By the service's own choice, whatever keys records have: no shard is hot, and no order is kept. Records without keys are
   * taken; consumers that need one may have to be changed. KPL's aggregates must not be written to such a stream, which the
   * extension never does.
   */
  AUTO = 'AUTO',
}

/** What a new stream is made of. */
export interface NewStreamProps {
  /**
   * Name of the new stream.
   *
   * @default - made by CloudFormation
   */
  readonly streamName?: string;

  /**
   * Capacity mode of the new stream.
   *
   * @default StreamMode.PROVISIONED with `shardCount`, StreamMode.ON_DEMAND without
   */
  readonly streamMode?: kinesis.StreamMode;

  /**
   * By what the new stream spreads records over its shards, in on-demand mode. With `AUTO` records have no keys, unless
   * `partitionKey` says otherwise.
   *
   * @default - CloudFormation's: RecordDistribution.USER_PARTITION_KEY
   */
  readonly recordDistribution?: RecordDistribution;

  /**
   * Shards of the new stream, in provisioned mode.
   *
   * @default 1 in provisioned mode
   */
  readonly shardCount?: number;

  /**
   * How long the new stream keeps records, 24 hours to 365 days.
   *
   * @default Duration.hours(24)
   */
  readonly retentionPeriod?: Duration;

  /**
   * Encryption of the new stream.
   *
   * - `MANAGED`, the key that AWS manages: no price for the key, and no permission that functions and
   *   consumers need for it. It serves its own account alone, and no delivery (`deliverToBucket`,
   *   `deliverToTable`, a channel made otherwise) reads such a stream.
   * - `KMS`, a customer key: KMS's monthly price for a key, a new one without `encryptionKey`; consumers need
   *   `kms:Decrypt`. For deliveries, for producers and consumers of other accounts, and where it has to be told or
   *   stopped who reads.
   * - `UNENCRYPTED`: for what may be read by anybody who gets at AWS's storage; never by default.
   *
   * Of both keys calls to KMS are billed alike; there are more of them, the more credentials are in use.
   *
   * @default StreamEncryption.KMS with `encryptionKey` or a delivery, StreamEncryption.MANAGED otherwise
   */
  readonly encryption?: kinesis.StreamEncryption;

  /**
   * Customer key of the new stream.
   *
   * @default - none, or a new one with StreamEncryption.KMS
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the new stream and of its new key with the stack, and of the dead-letter bucket. A
   * key that a bucket needs which stays is kept as well.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** The names of the props that have no meaning where the stream exists already. */
export const NEW_STREAM_PROPS: (keyof NewStreamProps)[] = [
  'streamName',
  'streamMode',
  'recordDistribution',
  'shardCount',
  'retentionPeriod',
  'encryption',
  'encryptionKey',
  'removalPolicy',
];

/**
 * A stream for telemetry, encrypted unless told otherwise.
 *
 * @param delivered whether AWS shall deliver it somewhere, which it does not with the key that it manages
 */
export function makeStream(scope: Construct, id: string, props: NewStreamProps, delivered = false): kinesis.Stream {
  checkProps(props);
  const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
  const encryption =
    props.encryption ?? (props.encryptionKey || delivered ? kinesis.StreamEncryption.KMS : kinesis.StreamEncryption.MANAGED);
  const stream = new kinesis.Stream(scope, id, {
    streamName: props.streamName,
    streamMode: modeOf(props),
    shardCount: props.shardCount,
    retentionPeriod: props.retentionPeriod ?? Duration.hours(24),
    encryption,
    encryptionKey: props.encryptionKey ?? newKey(scope, encryption, removalPolicy),
    removalPolicy,
  });
  if (props.recordDistribution !== undefined) {
    // Older versions of aws-cdk-lib have no property for it.
    (stream.node.defaultChild as kinesis.CfnStream).addPropertyOverride('RecordDistributionStrategy', props.recordDistribution);
  }
  if (encryption === kinesis.StreamEncryption.KMS) {
    acknowledge(stream, 'KDS3', 'A customer key was asked for, or a delivery, which needs one');
  }
  return stream;
}

function modeOf({ streamMode, shardCount }: NewStreamProps): kinesis.StreamMode {
  const { PROVISIONED, ON_DEMAND } = kinesis.StreamMode;
  return streamMode ?? (shardCount === undefined ? ON_DEMAND : PROVISIONED);
}

// The stream would make one by itself, which does not rotate and stays for ever.
function newKey(scope: Construct, encryption: kinesis.StreamEncryption, removalPolicy: RemovalPolicy) {
  return encryption !== kinesis.StreamEncryption.KMS
    ? undefined
    : new kms.Key(scope, 'StreamKey', {
        description: 'Encrypts the telemetry stream',
        enableKeyRotation: true,
        removalPolicy,
      });
}

function checkProps(props: NewStreamProps): void {
  requireKinds(props, {
    streamName: TEXT,
    streamMode: oneOf(kinesis.StreamMode),
    recordDistribution: oneOf(RecordDistribution),
    shardCount: NUMBER,
    retentionPeriod: DURATION,
    encryption: known(oneOf(kinesis.StreamEncryption)),
    encryptionKey: KEY,
    removalPolicy: REMOVAL_POLICY,
  });
  const { streamName, streamMode, shardCount, retentionPeriod } = props;
  requireThat(
    streamName === undefined || Token.isUnresolved(streamName) || /^[A-Za-z0-9_.-]{1,128}$/.test(streamName),
    `streamName: 1 to 128 letters, digits, '_', '.' or '-', not ${JSON.stringify(streamName)}`,
  );
  requireThat(
    props.recordDistribution === undefined || modeOf(props) === kinesis.StreamMode.ON_DEMAND,
    'recordDistribution: only a stream with streamMode ON_DEMAND has one',
  );
  requireThat(
    shardCount === undefined || streamMode !== kinesis.StreamMode.ON_DEMAND,
    'shardCount: only a stream with streamMode PROVISIONED has one',
  );
  requireThat(
    shardCount === undefined || Token.isUnresolved(shardCount) || (Number.isInteger(shardCount) && shardCount >= 1),
    `shardCount: a whole number from 1, not ${shardCount}`,
  );
  const hours = retentionPeriod?.isUnresolved() ? undefined : retentionPeriod?.toHours({ integral: false });
  requireThat(
    hours === undefined || (Number.isInteger(hours) && hours >= 24 && hours <= 8760),
    `retentionPeriod: 24 to 8760 whole hours, not ${hours}`,
  );
}

/** As stream_arn() of src/protocol/settings.c, which would fall back on a stream's name. */
export function isStreamArn(text: string): boolean {
  return /^arn:aws[A-Za-z0-9-]*:kinesis:[A-Za-z0-9-]{1,40}:\d{12}:stream\/[A-Za-z0-9_.-]{1,128}$/.test(text);
}

/** Refuses a stream whose ARN the extension would not take. */
export function checkStreamArn(stream: kinesis.IStream): void {
  requireThat(
    Token.isUnresolved(stream.streamArn) || isStreamArn(stream.streamArn),
    `stream: arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME, not ${stream.streamArn}`,
  );
}
