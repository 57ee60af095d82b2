import { ArnFormat, Aws, CfnResource, Duration, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge';
import { makeBucket } from './dead-letter';
import { DURATION, having, oneOf, requireKinds, shown, TEXT } from './kinds';
import { Aggregation, Compression, RecordFormat, TelemetrySettings } from './settings';
import { NewStreamProps } from './stream';
import { requireThat } from './validation';

/** How delivered objects and files are compressed. */
export enum DeliveryCompression {
  NONE = 'NONE',
  /** Objects only. */
  GZIP = 'GZIP',
  ZSTD = 'ZSTD',
  /** Tables only. */
  SNAPPY = 'SNAPPY',
}

/** What both kinds of delivery have. AWS takes no other value of a delivery that exists, but for `freshness`: take it out, deploy, put it in. */
export interface DeliveryOptions {
  /**
   * How old data gets before it is delivered, 300 to 900 s.
   *
   * @default Duration.seconds(300)
   */
  readonly freshness?: Duration;

  /**
   * Where what cannot be delivered is told of: of each record its place and why, not the record.
   *
   * @default - below `kinesis-channel/errors/` of the bucket, or with a table a new bucket
   */
  readonly errorBucket?: s3.IBucket;

  /**
   * Compression of objects or of the table's files.
   *
   * @default DeliveryCompression.GZIP of objects, NONE with `compression: Compression.GZIP` or
   * `recordFormat: RecordFormat.CLOUDWATCH`, whose records are compressed already; DeliveryCompression.ZSTD of tables
   */
  readonly compression?: DeliveryCompression;
}

/** The stream's own delivery to a bucket. */
export interface BucketDeliveryOptions extends DeliveryOptions {
  /**
   * Where objects go, a bucket of the stream's region. One of another account has to allow the role that.
   *
   * @default - a new bucket, encrypted with the stream's customer key if it has one, from which nothing expires
   */
  readonly bucket?: s3.IBucket;

  /**
   * How objects are called: a template of AWS's, as `logs/!{yyyy}/!{MM}/!{dd}/!{HH}/!{extension}`.
   *
   * @default - AWS's own, `kinesis-channel/NAME/ID/` and the hour
   */
  readonly keyTemplate?: string;
}

/** The stream's own delivery to an Iceberg table, which AWS makes. Its columns are those of a JSON schema. */
export interface TableDeliveryOptions extends DeliveryOptions {
  /** ARN of the S3 table bucket, of the stream's account and region. */
  readonly tableBucketArn: string;

  /** Namespace of the table: lower-case letters, digits, underscores. */
  readonly namespace: string;

  /** Name of the table. There is none of it yet. */
  readonly tableName: string;

  /** Registry of Glue, of the same account and region, in which the schema is. */
  readonly schemaRegistry: string;

  /** Name of the schema there. */
  readonly schemaName: string;

  /**
   * The member of records by whose hour the table is partitioned, a string of the format date-time in the schema.
   *
   * @default 'time' - which Lambda writes into each event
   */
  readonly partitionColumn?: string;
}

/** Formats of AWS, each of which takes what those before it take. */
const FORMATS = ['JSON', 'STRING', 'BYTE_ARRAY'] as const;

/** The first of AWS's formats that takes the records of these settings as they are. */
export function deliveryFormat({ aggregation, compression, recordFormat }: TelemetrySettings): (typeof FORMATS)[number] {
  if (compression === Compression.GZIP || recordFormat === RecordFormat.CLOUDWATCH) {
    return 'BYTE_ARRAY';
  }
  // One JSON text is asked for, and lines are several.
  return aggregation === Aggregation.LINES ? 'STRING' : 'JSON';
}

/** Refuses settings whose records a delivery would not take. */
export function checkDelivered(settings: TelemetrySettings, ofStream: TelemetrySettings, toTable: boolean): void {
  for (const name of ['recordFormat', 'aggregation', 'compression'] as const) {
    requireThat(
      !Token.isUnresolved(settings[name]),
      `${name}: one that is known here, since a delivery has the format of the records, not ${shown(settings[name])}`,
    );
  }
  const [wanted, taken] = [settings, ofStream].map((one) => deliveryFormat(one));
  requireThat(
    FORMATS.indexOf(wanted) <= FORMATS.indexOf(taken),
    `deliverToBucket: with these settings records are ${wanted}, and for those of the construct the delivery is of ${taken}: what is another would be lost to it`,
  );
  requireThat(
    !toTable || (wanted === 'JSON' && [RecordFormat.EVENT, RecordFormat.ENRICHED].some((format) => format === settings.recordFormat)),
    'deliverToTable: a row is a JSON object: recordFormat event or enriched, without aggregation and compression',
  );
}

/** Delivery of a stream to a bucket. */
export function deliverToBucket(
  scope: Construct,
  stream: kinesis.IStream,
  options: BucketDeliveryOptions,
  settings: TelemetrySettings,
  removalPolicy?: RemovalPolicy,
): s3.IBucket {
  requireKinds(options, { ...KINDS, keyTemplate: TEXT, bucket: BUCKET }, 'deliverToBucket.');
  checkOptions('deliverToBucket', options, DeliveryCompression.SNAPPY);
  const format = deliveryFormat(settings);
  const bucket = options.bucket ?? makeBucket(scope, 'DeliveryBucket', { encryptionKey: stream.encryptionKey, removalPolicy }, false);
  const compression = options.compression ?? (format === 'BYTE_ARRAY' ? DeliveryCompression.NONE : DeliveryCompression.GZIP);
  makeChannel(scope, 'BucketDelivery', {
    stream,
    format: { RecordFormatType: format },
    buckets: [bucket, ...(options.errorBucket ? [options.errorBucket] : [])],
    statements: [],
    destination: {
      S3DestinationConfiguration: {
        DataFreshnessInSeconds: (options.freshness ?? FRESHNESS).toSeconds(),
        ...errorsTo(options.errorBucket),
        StorageConfiguration: { ...place(bucket), CompressionType: compression, OutputKeyTemplate: options.keyTemplate },
      },
    },
  });
  return bucket;
}

/** Delivery of a stream to a table. */
export function deliverToTable(
  scope: Construct,
  stream: kinesis.IStream,
  options: TableDeliveryOptions,
  removalPolicy?: RemovalPolicy,
): void {
  requireKinds(options, { ...KINDS, partitionColumn: TEXT }, 'deliverToTable.');
  for (const name of ['tableBucketArn', 'namespace', 'tableName', 'schemaRegistry', 'schemaName'] as const) {
    requireThat(typeof options[name] === 'string', `deliverToTable.${name}: a text, not ${shown(options[name])}`);
  }
  checkOptions('deliverToTable', options, DeliveryCompression.GZIP);
  const glue = (resource: string, resourceName: string) => Stack.of(scope).formatArn({ service: 'glue', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
  const schema = glue('schema', `${options.schemaRegistry}/${options.schemaName}`);
  const errors = options.errorBucket ?? makeBucket(scope, 'DeliveryErrors', { encryptionKey: stream.encryptionKey, removalPolicy });
  makeChannel(scope, 'TableDelivery', {
    stream,
    format: { RecordFormatType: 'JSON', GSRSchemaARN: schema },
    buckets: [errors],
    statements: [
      new iam.PolicyStatement({ sid: 'WriteTable', actions: TABLE_ACTIONS, resources: [options.tableBucketArn, `${options.tableBucketArn}/table/*`] }),
      new iam.PolicyStatement({ sid: 'ReadSchema', actions: ['glue:GetSchemaVersion'], resources: [glue('registry', options.schemaRegistry), schema] }),
    ],
    destination: {
      S3TablesDestinationConfiguration: {
        DataFreshnessInSeconds: (options.freshness ?? FRESHNESS).toSeconds(),
        ...errorsTo(errors),
        S3TablesConfigurationList: [
          {
            TableBucketARN: options.tableBucketArn,
            Namespace: options.namespace,
            TableName: options.tableName,
            CompressionType: options.compression ?? DeliveryCompression.ZSTD,
            PartitionSpec: { PartitionFields: [{ SourceName: options.partitionColumn ?? 'time', Transform: 'TIME_HOUR' }] },
          },
        ],
      },
    },
  });
}

const FRESHNESS = Duration.seconds(300);
const BUCKET = having('bucketName', 'an s3.IBucket, as Bucket.fromBucketName() makes it');
const KINDS = { freshness: DURATION, errorBucket: BUCKET, compression: oneOf(DeliveryCompression) };

const TABLE_ACTIONS = [
  'CreateNamespace', 'CreateTable', 'GetTable', 'GetTableBucket', 'GetTableData', 'GetTableMetadataLocation',
  'PutTableData', 'PutTableRecordExpirationConfiguration', 'TagResource', 'UpdateTableMetadataLocation',
].map((action) => `s3tables:${action}`);

function checkOptions(name: string, { freshness, compression }: DeliveryOptions, refused: DeliveryCompression): void {
  const seconds = freshness?.isUnresolved() ? undefined : freshness?.toSeconds({ integral: false });
  requireThat(
    seconds === undefined || (Number.isInteger(seconds) && seconds >= 300 && seconds <= 900),
    `${name}.freshness: 300 to 900 whole seconds, not ${seconds}`,
  );
  requireThat(compression !== refused, `${name}.compression: one of the others, not ${refused}`);
}

function place(bucket: s3.IBucket): Record<string, string> {
  return { BucketARN: bucket.bucketArn, ExpectedBucketOwner: bucket.env.account };
}

function errorsTo(bucket?: s3.IBucket): object {
  return bucket === undefined ? {} : { DeadLetterQueueS3Configuration: place(bucket) };
}

interface Channel {
  readonly stream: kinesis.IStream;
  readonly format: object;
  /** Which it writes to. */
  readonly buckets: s3.IBucket[];
  readonly statements: iam.PolicyStatement[];
  readonly destination: object;
}

// As a CfnResource: the oldest aws-cdk-lib has no CfnChannel.
function makeChannel(scope: Construct, id: string, { stream, format, buckets, statements, destination }: Channel): void {
  const role = makeRole(scope, `${id}Role`, stream, buckets, statements);
  const key = buckets[0].encryptionKey;
  new CfnResource(scope, id, {
    type: 'AWS::Kinesis::Channel',
    properties: {
      ChannelName: Names.uniqueResourceName(scope, { maxLength: 60, separator: '-' }) + (id === 'TableDelivery' ? '-t' : '-b'),
      ServiceExecutionRoleARN: role.roleArn,
      StreamConfigurationList: [{ StreamARN: stream.streamArn, RecordConfiguration: format }],
      ...(key && id === 'BucketDelivery' && { EncryptionConfiguration: { EncryptionType: 'KMS', KeyId: key.keyArn } }),
      ...destination,
    },
  });
}

/** Source: Kinesis Data Streams, developer guide, IAM permissions for data delivery. */
function makeRole(scope: Construct, id: string, stream: kinesis.IStream, buckets: s3.IBucket[], statements: iam.PolicyStatement[]): iam.Role {
  const { partition, region, account } = Stack.of(scope);
  const via = (service: string) => ({ StringEqualsIfExists: { 'kms:ViaService': `${service}.${region}.${Aws.URL_SUFFIX}` } });
  const useKey = (sid: string, keyArn: string, service: string) =>
    new iam.PolicyStatement({ sid, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keyArn], conditions: via(service) });
  const keys = new Set(buckets.map(({ encryptionKey }) => encryptionKey?.keyArn).filter((arn) => arn !== undefined));
  const all = [
    ...statements,
    new iam.PolicyStatement({
      sid: 'ListBuckets',
      actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: buckets.map(({ bucketArn }) => bucketArn),
    }),
    new iam.PolicyStatement({
      sid: 'WriteObjects',
      actions: ['s3:ListMultipartUploadParts', 's3:PutObject'],
      resources: buckets.map((bucket) => bucket.arnForObjects('*')),
    }),
    ...(stream.encryptionKey ? [useKey('ReadStream', stream.encryptionKey.keyArn, 'kinesis')] : []),
    ...[...keys].map((arn, i) => useKey(`EncryptObjects${i || ''}`, arn, 's3')),
  ];
  const role = new iam.Role(scope, id, {
    description: 'Delivery of the telemetry stream',
    assumedBy: new iam.ServicePrincipal('kinesis.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:kinesis:${region}:${account}:channel/*` },
      },
    }),
    inlinePolicies: { Deliver: new iam.PolicyDocument({ statements: all }) },
  });
  for (const resource of all.flatMap((statement) => statement.resources)) {
    acknowledgeWildcard(role.node.defaultChild as iam.CfnRole, resource, 'The names of objects and of the parts of a table are made when they are delivered');
  }
  return role;
}

/** Refuses streams that AWS delivers nothing of. */
export function checkDeliverable(props: NewStreamProps & { readonly stream?: kinesis.IStream }): void {
  requireThat(props.stream === undefined, 'deliverToBucket, deliverToTable: of a new stream, and one is given with stream: make an AWS::Kinesis::Channel for it');
  requireThat(
    props.shardCount === undefined && props.streamMode !== kinesis.StreamMode.PROVISIONED,
    'deliverToBucket, deliverToTable: of streams with streamMode ON_DEMAND alone',
  );
  requireThat(
    props.encryption !== kinesis.StreamEncryption.MANAGED,
    'encryption: no delivery of a stream that is encrypted with the AWS managed key: KMS, or UNENCRYPTED',
  );
}
