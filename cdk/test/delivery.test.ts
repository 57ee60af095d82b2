// The stream's own delivery into buckets and tables, and the encryption that it needs.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Aggregation, Compression, DeliveryCompression, KinesisTelemetryExtensionProps, RecordFormat } from '../lib';
import { makeExtension, makeFunction, makeStack, only, TABLE } from './support/app';

const CHANNEL = 'AWS::Kinesis::Channel';
const ROW = { deliverToTable: TABLE, recordFormat: RecordFormat.ENRICHED };

function template(props: KinesisTelemetryExtensionProps = {}): Template {
  const stack = makeStack();
  makeExtension(props, stack);
  return Template.fromStack(stack);
}

function channel(props: KinesisTelemetryExtensionProps): any {
  return only(template(props), CHANNEL).Properties;
}

function statements(of: Template): any[] {
  return only(of, 'AWS::IAM::Role').Properties.Policies[0].PolicyDocument.Statement;
}

const arn = (of: Template, type: string) => ({ 'Fn::GetAtt': [Object.keys(of.findResources(type))[0], 'Arn'] });

describe('encryption', () => {
  for (const [what, props, type, keys] of [
    ['the AWS managed key by default', {}, 'alias/aws/kinesis', 0],
    ['a customer key with a delivery', { deliverToBucket: {} }, 'key', 1],
    ['a customer key with a table', ROW, 'key', 1],
    ['none when that is asked for', { deliverToBucket: {}, encryption: kinesis.StreamEncryption.UNENCRYPTED }, undefined, 0],
  ] as [string, KinesisTelemetryExtensionProps, string | undefined, number][]) {
    it(`is by ${what}`, () => {
      const of = template(props);
      const { StreamEncryption } = only(of, 'AWS::Kinesis::Stream').Properties;
      assert.deepEqual(StreamEncryption?.KeyId, type === 'key' ? arn(of, 'AWS::KMS::Key') : type);
      of.resourceCountIs('AWS::KMS::Key', keys);
    });
  }

  for (const [what, props] of [
    ['that AWS delivers nothing of', { encryption: kinesis.StreamEncryption.MANAGED }],
    ['with shards', { shardCount: 1 }],
    ['of provisioned mode', { streamMode: kinesis.StreamMode.PROVISIONED }],
    ['that is given', { stream: kinesis.Stream.fromStreamArn(makeStack(), 'S', 'arn:aws:kinesis:us-east-1:123456789012:stream/s') }],
  ] as [string, KinesisTelemetryExtensionProps][]) {
    it(`and mode: a stream ${what} is refused`, () => {
      for (const delivery of [{ deliverToBucket: {} }, ROW]) {
        assert.throws(() => template({ ...delivery, ...props }), { name: 'ConfigurationError', message: /^(encryption|deliverToBucket, deliverToTable): / });
      }
    });
  }
});

describe('deliverToBucket', () => {
  it('makes a channel, a role for it and a bucket with the stream\'s key, from which nothing expires', () => {
    const of = template({ deliverToBucket: {} });
    const [bucket, key, stream, role] = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::Kinesis::Stream', 'AWS::IAM::Role'].map((type) => arn(of, type));
    assert.deepEqual(only(of, CHANNEL).Properties, {
      ChannelName: 'Test-Telemetry-B21D4AFE-b',
      ServiceExecutionRoleARN: role,
      StreamConfigurationList: [{ StreamARN: stream, RecordConfiguration: { RecordFormatType: 'JSON' } }],
      EncryptionConfiguration: { EncryptionType: 'KMS', KeyId: key },
      S3DestinationConfiguration: {
        DataFreshnessInSeconds: 300,
        StorageConfiguration: { BucketARN: bucket, ExpectedBucketOwner: { Ref: 'AWS::AccountId' }, CompressionType: 'GZIP' },
      },
    });
    const { BucketEncryption, LifecycleConfiguration } = only(of, 'AWS::S3::Bucket').Properties;
    assert.deepEqual(BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID, key);
    assert.equal(LifecycleConfiguration.Rules[0].ExpirationInDays, undefined);
    const via = (service: string) => ({ StringEqualsIfExists: { 'kms:ViaService': { 'Fn::Join': ['', [`${service}.`, { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]] } } });
    assert.deepEqual(statements(of).map(({ Action, Resource, Condition }) => [[Action].flat(), Resource, Condition]), [
      [['s3:ListBucket', 's3:ListBucketMultipartUploads'], bucket, undefined],
      [['s3:ListMultipartUploadParts', 's3:PutObject'], { 'Fn::Join': ['', [bucket, '/*']] }, undefined],
      [['kms:Decrypt', 'kms:GenerateDataKey'], key, via('kinesis')],
      [['kms:Decrypt', 'kms:GenerateDataKey'], key, via('s3')],
    ]);
    const [{ Principal, Condition }] = only(of, 'AWS::IAM::Role').Properties.AssumeRolePolicyDocument.Statement;
    assert.deepEqual(Principal, { Service: 'kinesis.amazonaws.com' });
    assert.deepEqual(Condition.StringEquals, { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
    assert.match(JSON.stringify(Condition.ArnLike['aws:SourceArn']), /:channel\/\*/);
  });

  for (const [form, format, compression] of [
    [{}, 'JSON', 'GZIP'],
    [{ recordFormat: RecordFormat.ENRICHED }, 'JSON', 'GZIP'],
    [{ aggregation: Aggregation.LINES }, 'STRING', 'GZIP'],
    [{ compression: Compression.GZIP }, 'BYTE_ARRAY', 'NONE'],
    [{ aggregation: Aggregation.LINES, compression: Compression.GZIP }, 'BYTE_ARRAY', 'NONE'],
    [{ recordFormat: RecordFormat.CLOUDWATCH }, 'BYTE_ARRAY', 'NONE'],
  ] as [KinesisTelemetryExtensionProps, string, string][]) {
    it(`is of ${format} with ${JSON.stringify(form)}`, () => {
      const { StreamConfigurationList, S3DestinationConfiguration } = channel({ ...form, deliverToBucket: {} });
      assert.equal(StreamConfigurationList[0].RecordConfiguration.RecordFormatType, format);
      assert.equal(S3DestinationConfiguration.StorageConfiguration.CompressionType, compression);
    });
  }

  it('takes what is given', () => {
    const stack = makeStack();
    const key = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/k');
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'theirs', account: '210987654321', encryptionKey: key });
    const errorBucket = s3.Bucket.fromBucketName(stack, 'Errors', 'errors');
    const deliverToBucket = { bucket, errorBucket, keyTemplate: 'a/!{yyyy}!{extension}', freshness: Duration.minutes(15), compression: DeliveryCompression.ZSTD };
    const extension = makeExtension({ deliverToBucket, encryption: kinesis.StreamEncryption.UNENCRYPTED }, stack);
    assert.equal(extension.deliveryBucket, bucket);
    const of = Template.fromStack(stack);
    of.resourceCountIs('AWS::S3::Bucket', 0);
    const { EncryptionConfiguration, S3DestinationConfiguration } = only(of, CHANNEL).Properties;
    assert.equal(EncryptionConfiguration.KeyId, 'arn:aws:kms:us-east-1:123456789012:key/k');
    const { StorageConfiguration, DeadLetterQueueS3Configuration, DataFreshnessInSeconds } = S3DestinationConfiguration;
    assert.equal(DataFreshnessInSeconds, 900);
    assert.match(JSON.stringify(DeadLetterQueueS3Configuration.BucketARN), /:s3:::errors"/);
    assert.deepEqual([StorageConfiguration.ExpectedBucketOwner, StorageConfiguration.CompressionType, StorageConfiguration.OutputKeyTemplate], ['210987654321', 'ZSTD', 'a/!{yyyy}!{extension}']);
    assert.deepEqual(statements(of).map(({ Sid }) => Sid), ['ListBuckets', 'WriteObjects', 'EncryptObjects']);
    assert.equal(statements(of)[1].Resource.length, 2);
  });

  it('is kept or removed with the stream, and the key with what needs it', () => {
    const policies = (props: KinesisTelemetryExtensionProps) => {
      const of = template({ deliverToBucket: {}, ...props });
      return ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::Kinesis::Stream'].map((type) => only(of, type).DeletionPolicy);
    };
    assert.deepEqual(policies({}), ['Retain', 'Retain', 'Retain']);
    assert.deepEqual(policies({ removalPolicy: RemovalPolicy.DESTROY }), ['Delete', 'Delete', 'Delete']);
  });

  it('refuses a function whose records it would lose, and no other', () => {
    const stack = makeStack();
    const extension = makeExtension({ deliverToBucket: {}, aggregation: Aggregation.LINES }, stack);
    extension.attachTo(makeFunction(stack, 'A'), { aggregation: Aggregation.NONE, recordFormat: RecordFormat.EVENT });
    extension.attachTo(makeFunction(stack, 'B'), { aggregationMaxSize: Size.kibibytes(8) });
    const fn = makeFunction(stack, 'C');
    assert.throws(() => extension.attachTo(fn, { compression: Compression.GZIP }), {
      name: 'ConfigurationError',
      message: 'deliverToBucket: with these settings records are BYTE_ARRAY, and for those of the construct the delivery is of STRING: what is another would be lost to it',
    });
    assert.equal(extension.isAttachedTo(fn), false);
  });
});

describe('deliverToTable', () => {
  it('makes a channel of rows by the hour, a role for it and a bucket for errors', () => {
    const of = template(ROW);
    const { ChannelName, EncryptionConfiguration, S3DestinationConfiguration, ...rest } = only(of, CHANNEL).Properties;
    const { StreamConfigurationList, S3TablesDestinationConfiguration } = rest;
    assert.deepEqual([ChannelName, EncryptionConfiguration, S3DestinationConfiguration], ['Test-Telemetry-B21D4AFE-t', undefined, undefined]);
    const { RecordFormatType, GSRSchemaARN } = StreamConfigurationList[0].RecordConfiguration;
    assert.equal(RecordFormatType, 'JSON');
    assert.match(JSON.stringify(GSRSchemaARN), /:schema\/telemetry\/event"/);
    assert.deepEqual(S3TablesDestinationConfiguration, {
      DataFreshnessInSeconds: 300,
      DeadLetterQueueS3Configuration: { BucketARN: arn(of, 'AWS::S3::Bucket'), ExpectedBucketOwner: { Ref: 'AWS::AccountId' } },
      S3TablesConfigurationList: [
        {
          TableBucketARN: TABLE.tableBucketArn,
          Namespace: 'logs',
          TableName: 'functions',
          CompressionType: 'ZSTD',
          PartitionSpec: { PartitionFields: [{ SourceName: 'time', Transform: 'TIME_HOUR' }] },
        },
      ],
    });
    const [table, schema] = statements(of);
    assert.deepEqual(table.Resource, [TABLE.tableBucketArn, `${TABLE.tableBucketArn}/table/*`]);
    assert.ok(table.Action.includes('s3tables:PutTableData'));
    assert.deepEqual([schema.Action, schema.Resource.length], ['glue:GetSchemaVersion', 2]);
  });

  it('goes beside a bucket', () => {
    const of = template({ ...ROW, deliverToBucket: {} });
    assert.deepEqual(Object.values(of.findResources(CHANNEL)).map(({ Properties }) => Properties.ChannelName), ['Test-Telemetry-B21D4AFE-b', 'Test-Telemetry-B21D4AFE-t']);
  });

  for (const settings of [
    { recordFormat: RecordFormat.MESSAGE },
    { recordFormat: undefined },
    { aggregation: Aggregation.LINES },
    { compression: Compression.GZIP },
  ]) {
    it(`is of objects, one a record: not ${JSON.stringify(settings)}`, () => {
      assert.throws(() => template({ ...ROW, ...settings }), { name: 'ConfigurationError', message: /^deliverToTable: a row is a JSON object/ });
    });
  }
});
