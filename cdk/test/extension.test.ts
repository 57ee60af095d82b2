import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CfnParameter, Duration, Environment, Fn, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import {
  DeadLetter,
  FlushPolicy,
  KinesisTelemetryExtension,
  KinesisTelemetryExtensionProps,
  LayerPackaging,
  LISTED_RUNTIMES,
  METRICS,
  MetricsFormat,
  PartitionKey,
  RecordDistribution,
} from '../lib';
import { ROOT, makeApp, makeExtension, makeFunction, makeStack, only, variables } from './support/app';
import { zipFolder, ZIPS } from './support/zips';

const STREAM_ARN = 'arn:aws:kinesis:eu-central-1:210987654321:stream/theirs';
const LAYER_ARN = 'arn:aws:lambda:us-east-1:123456789012:layer:l:1';
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

/** The template with the construct alone. */
function template(props: KinesisTelemetryExtensionProps = {}): Template {
  return Template.fromStack(Stack.of(makeExtension(props)));
}

/** The statements of the managed policy. */
function statements(of: Template): any[] {
  return only(of, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement;
}

describe('stream', () => {
  it('is on demand, encrypted, of a day, and stays, by default', () => {
    const made = only(template(), 'AWS::Kinesis::Stream');
    assert.deepEqual(made.Properties, {
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
      RetentionPeriodHours: 24,
    });
    assert.equal(made.DeletionPolicy, 'Retain');
  });

  it('has name, shards, retention and removal policy of the props', () => {
    const made = only(
      template({
        streamName: 'mine',
        shardCount: 3,
        retentionPeriod: Duration.days(7),
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      'AWS::Kinesis::Stream',
    );
    assert.equal(made.Properties.Name, 'mine');
    assert.equal(made.Properties.ShardCount, 3);
    assert.deepEqual(made.Properties.StreamModeDetails, { StreamMode: 'PROVISIONED' });
    assert.equal(made.Properties.RetentionPeriodHours, 168);
    assert.equal(made.DeletionPolicy, 'Delete');
  });

  it('is provisioned without shardCount when asked for', () => {
    const made = only(template({ streamMode: kinesis.StreamMode.PROVISIONED }), 'AWS::Kinesis::Stream');
    assert.deepEqual([made.Properties.ShardCount, made.Properties.StreamModeDetails.StreamMode], [1, 'PROVISIONED']);
  });

  it('spreads records as CloudFormation has it', () => {
    const of = template({});
    assert.equal(only(of, 'AWS::Kinesis::Stream').Properties.RecordDistributionStrategy, undefined);
  });

  it('spreads records as it is told, and takes them without keys then', () => {
    const { AUTO, USER_PARTITION_KEY } = RecordDistribution;
    for (const [props, distribution, key] of [
      [{ recordDistribution: AUTO }, 'AUTO', 'none'],
      [{ recordDistribution: AUTO, streamMode: kinesis.StreamMode.ON_DEMAND }, 'AUTO', 'none'],
      [{ recordDistribution: AUTO, partitionKey: PartitionKey.NONE }, 'AUTO', 'none'],
      [{ recordDistribution: AUTO, partitionKey: PartitionKey.SANDBOX }, 'AUTO', 'sandbox'],
      [{ recordDistribution: USER_PARTITION_KEY }, 'USER_PARTITION_KEY', undefined],
    ] as const) {
      const stack = makeStack();
      makeExtension(props, stack).attachTo(makeFunction(stack, 'Fn'));
      const of = Template.fromStack(stack);
      assert.equal(only(of, 'AWS::Kinesis::Stream').Properties.RecordDistributionStrategy, distribution);
      assert.equal(only(of, 'AWS::Lambda::Function').Properties.Environment.Variables.TELEMETRY_PARTITION_KEY, key);
    }
  });

  it('may take records without keys when it exists already, and is not known for that', () => {
    const stack = makeStack();
    const stream = kinesis.Stream.fromStreamArn(stack, 'Theirs', STREAM_ARN);
    makeExtension({ stream, partitionKey: PartitionKey.NONE }, stack).attachTo(makeFunction(stack, 'Fn'));
    const { Variables } = only(Template.fromStack(stack), 'AWS::Lambda::Function').Properties.Environment;
    assert.equal(Variables.TELEMETRY_PARTITION_KEY, 'none');
  });

  it('wants keys of each function unless it is told otherwise', () => {
    const message = 'partitionKey: NONE needs a stream with recordDistribution AUTO';
    const stack = makeStack();
    const extension = makeExtension({}, stack);
    const fn = makeFunction(stack, 'Fn');
    assert.throws(() => extension.attachTo(fn, { partitionKey: PartitionKey.NONE }), { name: 'ConfigurationError', message });
    assert.ok(!extension.isAttachedTo(fn));
  });

  it('gets a key that rotates, and the policy its use, with KMS', () => {
    const of = template({ encryption: kinesis.StreamEncryption.KMS, removalPolicy: RemovalPolicy.DESTROY });
    const key = only(of, 'AWS::KMS::Key');
    assert.equal(key.Properties.EnableKeyRotation, true);
    assert.equal(key.DeletionPolicy, 'Delete');
    const [keyId] = Object.keys(of.findResources('AWS::KMS::Key'));
    assert.deepEqual(statements(of)[1], {
      Sid: 'EncryptTelemetry',
      Effect: 'Allow',
      Action: 'kms:GenerateDataKey',
      Resource: { 'Fn::GetAtt': [keyId, 'Arn'] },
    });
  });

  it('takes a key that there is', () => {
    const stack = makeStack();
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef');
    const extension = makeExtension({ encryptionKey }, stack);
    const of = Template.fromStack(stack);
    of.hasResourceProperties('AWS::Kinesis::Stream', { StreamEncryption: { EncryptionType: 'KMS', KeyId: encryptionKey.keyArn } });
    assert.equal(statements(of)[1].Resource, encryptionKey.keyArn);
    assert.equal(extension.streamKey, encryptionKey);
  });

  it('is not encrypted when that is asked for', () => {
    const made = only(template({ encryption: kinesis.StreamEncryption.UNENCRYPTED }), 'AWS::Kinesis::Stream');
    assert.equal(made.Properties.StreamEncryption, undefined);
  });

  it('may exist already, elsewhere, with a key', () => {
    const stack = makeStack();
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:210987654321:key/01234567-89ab-cdef-0123-456789abcdef');
    const stream = kinesis.Stream.fromStreamAttributes(stack, 'Theirs', { streamArn: STREAM_ARN, encryptionKey });
    const extension = makeExtension({ stream }, stack);
    extension.attachTo(makeFunction(stack, 'Fn'));
    const of = Template.fromStack(stack);
    of.resourceCountIs('AWS::Kinesis::Stream', 0);
    assert.equal(statements(of)[0].Resource, STREAM_ARN);
    assert.equal(statements(of)[1].Resource, encryptionKey.keyArn);
    assert.deepEqual(variables(of), { KINESIS_STREAM_ARN: STREAM_ARN });
    assert.equal(extension.stream, stream);
  });
});

describe('layer', () => {
  it('is one, for both CPUs and 15 runtimes', () => {
    const made = only(template(), 'AWS::Lambda::LayerVersion').Properties;
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(made.LayerName, 'kinesis-telemetry-api-extension');
    assert.equal(made.LicenseInfo, 'MIT');
    assert.equal(made.Description, `Kinesis telemetry extension ${version} for x86_64 and arm64`);
    assert.deepEqual(made.CompatibleArchitectures, ['x86_64', 'arm64']);
    assert.deepEqual(made.CompatibleRuntimes, LISTED_RUNTIMES.map(({ name }) => name));
    assert.equal(new Set(made.CompatibleRuntimes).size, 15);
  });

  it('is one for each CPU, of which functions get theirs', () => {
    const stack = makeStack();
    const extension = makeExtension({ layerPackaging: LayerPackaging.PER_ARCHITECTURE, extensionName: 'tele' }, stack);
    extension.attachTo(makeFunction(stack, 'X86', { architecture: lambda.Architecture.X86_64 }));
    extension.attachTo(makeFunction(stack, 'Arm', { architecture: lambda.Architecture.ARM_64 }));
    const of = Template.fromStack(stack);
    const layers = of.findResources('AWS::Lambda::LayerVersion');
    const [x86, arm] = Object.keys(layers);
    assert.deepEqual(Object.values(layers).map(({ Properties: p }) => [p.LayerName, p.CompatibleArchitectures]), [
      ['tele-x86_64', ['x86_64']],
      ['tele-arm64', ['arm64']],
    ]);
    assert.notDeepEqual(layers[x86].Properties.Content, layers[arm].Properties.Content);
    of.hasResourceProperties('AWS::Lambda::Function', { Architectures: ['x86_64'], Layers: [{ Ref: x86 }] });
    of.hasResourceProperties('AWS::Lambda::Function', { Architectures: ['arm64'], Layers: [{ Ref: arm }] });
    assert.equal(extension.layers.length, 2);
  });

  it('may exist already, without any zip', () => {
    const stack = makeStack();
    const layerVersionArn = 'arn:aws:lambda:us-east-1:123456789012:layer:telemetry:7';
    const extension = new KinesisTelemetryExtension(stack, 'Telemetry', { layerVersionArn });
    extension.attachTo(makeFunction(stack, 'Fn'));
    const of = Template.fromStack(stack);
    of.resourceCountIs('AWS::Lambda::LayerVersion', 0);
    of.hasResourceProperties('AWS::Lambda::Function', { Layers: [layerVersionArn] });
  });

  it('stays when the next version takes its place, and with the stack, unless told otherwise', () => {
    for (const layerPackaging of Object.values(LayerPackaging)) {
      for (const [layerRemovalPolicy, policy] of [
        [undefined, 'Retain'],
        [RemovalPolicy.DESTROY, 'Delete'],
      ] as const) {
        const made = Object.values(template({ layerPackaging, layerRemovalPolicy }).findResources('AWS::Lambda::LayerVersion'));
        assert.deepEqual(
          made.map(({ UpdateReplacePolicy, DeletionPolicy }) => [UpdateReplacePolicy, DeletionPolicy]),
          made.map(() => [policy, policy]),
        );
      }
    }
  });

  it('is listed under other runtimes when asked for', () => {
    const made = only(template({ compatibleRuntimes: [lambda.Runtime.PYTHON_3_10] }), 'AWS::Lambda::LayerVersion');
    assert.deepEqual(made.Properties.CompatibleRuntimes, ['python3.10']);
  });

  it('has to have its zip: the message names the file and the command', () => {
    for (const [layerPackaging, missing] of [
      [LayerPackaging.UNIVERSAL, ZIPS[0]],
      [LayerPackaging.PER_ARCHITECTURE, ZIPS[2]],
    ] as const) {
      const layerDirectory = zipFolder(ZIPS.filter((name) => name !== missing));
      assert.throws(() => makeExtension({ layerPackaging, layerDirectory }), (error: Error) => {
        assert.equal(error.name, 'ConfigurationError');
        assert.ok(error.message.includes(missing) && error.message.includes('./build.sh layer'), error.message);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    }
  });

  it('has another version when the zip has changed, and functions a new version with it', () => {
    const versions = ['a', 'b'].map((name) => {
      const stack = makeStack();
      const layerDirectory = zipFolder([ZIPS[0], name]);
      if (name === 'b') {
        // Any other bytes.
        appendFileSync(`${layerDirectory}/${ZIPS[0]}`, 'x');
      }
      const extension = makeExtension({ layerDirectory }, stack);
      const fn = makeFunction(stack, 'Fn');
      extension.attachTo(fn);
      void fn.currentVersion;
      const of = Template.fromStack(stack);
      return [Object.keys(of.findResources('AWS::Lambda::LayerVersion')), Object.keys(of.findResources('AWS::Lambda::Version'))];
    });
    assert.notDeepEqual(versions[0][1], versions[1][1]);
  });
});

describe('policy', () => {
  it('allows what the extension does, and no more', () => {
    const of = template();
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    assert.deepEqual(statements(of), [
      {
        Sid: 'PutTelemetry',
        Effect: 'Allow',
        Action: 'kinesis:PutRecords',
        Resource: { 'Fn::GetAtt': [stream, 'Arn'] },
      },
      {
        Sid: 'WriteLogs',
        Effect: 'Allow',
        Action: LOGS,
        Resource: {
          'Fn::Join': [
            '',
            ['arn:', { Ref: 'AWS::Partition' }, ':logs:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':log-group:/aws/lambda/*'],
          ],
        },
      },
    ]);
  });

  it('has the name that is asked for', () => {
    assert.equal(only(template(), 'AWS::IAM::ManagedPolicy').Properties.ManagedPolicyName, undefined);
    assert.equal(only(template({ policyName: 'p' }), 'AWS::IAM::ManagedPolicy').Properties.ManagedPolicyName, 'p');
  });

  it('denies CloudWatch Logs instead, when asked to', () => {
    assert.deepEqual(statements(template({ denyCloudWatchLogs: true }))[1], {
      Sid: 'DenyLogs',
      Effect: 'Deny',
      Action: LOGS,
      Resource: '*',
    });
  });
});

describe('dead letters', () => {
  it('get a bucket: encrypted, TLS only, not public, cleared after 30 days', () => {
    const stack = makeStack();
    const extension = makeExtension({ deadLetterBucket: {} }, stack);
    extension.attachTo(makeFunction(stack, 'Fn'));
    const of = Template.fromStack(stack);
    const [bucket] = Object.keys(of.findResources('AWS::S3::Bucket'));
    const made = only(of, 'AWS::S3::Bucket');
    assert.equal(made.DeletionPolicy, 'Retain');
    assert.deepEqual(made.Properties, {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'expire', Status: 'Enabled', ExpirationInDays: 30, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    of.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
    assert.deepEqual(statements(of)[1], {
      Sid: 'PutDeadLetters',
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, '/kinesis-telemetry/*']] },
    });
    assert.deepEqual(variables(of).TELEMETRY_DEAD_LETTER, { 'Fn::Join': ['', ['s3://', { Ref: bucket }, '/kinesis-telemetry']] });
    assert.equal(stack.resolve(extension.bucket!.bucketName).Ref, bucket);
  });

  it('get it as asked for: prefix, key, expiration, removal policy', () => {
    const stack = makeStack();
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef');
    makeExtension(
      { deadLetterBucket: { prefix: 'a/b', encryptionKey, expiration: Duration.days(3), removalPolicy: RemovalPolicy.DESTROY } },
      stack,
    );
    const of = Template.fromStack(stack);
    const made = only(of, 'AWS::S3::Bucket');
    assert.equal(made.DeletionPolicy, 'Delete');
    assert.equal(made.Properties.LifecycleConfiguration.Rules[0].ExpirationInDays, 3);
    assert.deepEqual(made.Properties.BucketEncryption.ServerSideEncryptionConfiguration, [
      { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: encryptionKey.keyArn } },
    ]);
    assert.match(JSON.stringify(statements(of)[1].Resource), /a\/b\/\*/);
    assert.deepEqual(statements(of)[2], {
      Sid: 'EncryptDeadLetters',
      Effect: 'Allow',
      Action: 'kms:GenerateDataKey',
      Resource: encryptionKey.keyArn,
    });
  });

  it('go with the construct: its key, its removal policy', () => {
    for (const [props, policies, encrypted] of [
      [{}, { bucket: 'Retain' }, false],
      [{ encryption: kinesis.StreamEncryption.KMS }, { bucket: 'Retain', key: 'Retain' }, true],
      [{ encryption: kinesis.StreamEncryption.KMS, removalPolicy: RemovalPolicy.DESTROY }, { bucket: 'Delete', key: 'Delete' }, true],
      [
        {
          encryption: kinesis.StreamEncryption.KMS,
          removalPolicy: RemovalPolicy.DESTROY,
          deadLetterBucket: { encryptionKey: undefined, removalPolicy: undefined },
        },
        { bucket: 'Delete', key: 'Delete' },
        true,
      ],
      // A key that what stays is encrypted with stays too.
      [
        {
          encryption: kinesis.StreamEncryption.KMS,
          removalPolicy: RemovalPolicy.DESTROY,
          deadLetterBucket: { removalPolicy: RemovalPolicy.RETAIN },
        },
        { bucket: 'Retain', key: 'Retain' },
        true,
      ],
    ] as [KinesisTelemetryExtensionProps, object, boolean][]) {
      const of = template({ deadLetterBucket: {}, ...props });
      const [key] = Object.entries(of.findResources('AWS::KMS::Key'));
      const bucket = only(of, 'AWS::S3::Bucket');
      assert.deepEqual({ bucket: bucket.DeletionPolicy, ...(key && { key: key[1].DeletionPolicy }) }, policies);
      const [{ ServerSideEncryptionByDefault: by }] = bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration;
      assert.deepEqual(by, encrypted ? { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': [key[0], 'Arn'] } } : { SSEAlgorithm: 'AES256' });
      assert.equal(statements(of).filter(({ Sid }) => Sid === 'EncryptDeadLetters').length, encrypted ? 1 : 0);
    }
  });

  it('do not take the key of a stream that is given', () => {
    const stack = makeStack();
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-central-1:210987654321:key/01234567-89ab-cdef-0123-456789abcdef');
    const stream = kinesis.Stream.fromStreamAttributes(stack, 'Theirs', { streamArn: STREAM_ARN, encryptionKey });
    makeExtension({ stream, deadLetterBucket: {}, removalPolicy: RemovalPolicy.DESTROY }, stack);
    const bucket = only(Template.fromStack(stack), 'AWS::S3::Bucket');
    assert.match(JSON.stringify(bucket.Properties.BucketEncryption), /AES256/);
    assert.equal(bucket.DeletionPolicy, 'Delete');
  });

  it('may go to a bucket that there is', () => {
    const stack = makeStack();
    const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'letters');
    makeExtension({ deadLetter: DeadLetter.bucket(bucket) }, stack);
    const of = Template.fromStack(stack);
    of.resourceCountIs('AWS::S3::Bucket', 0);
    assert.deepEqual(statements(of)[1].Resource, { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::letters/*']] });
  });

  it('need no permission on standard error', () => {
    assert.equal(statements(template({ deadLetter: DeadLetter.STDERR })).length, 2);
  });
});

describe('alarms', () => {
  const names = ['streamThrottled', 'recordsThrottled', 'recordsDropped', 'platformDropped', 'deadLettered', 'breakerOpened'] as const;

  it('are none by default', () => {
    template().resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });

  it('are six, on a single event or a tenth of throttled records, and turn metrics on', () => {
    const stack = makeStack();
    const extension = makeExtension({ alarms: {} }, stack);
    extension.attachTo(makeFunction(stack, 'Fn'));
    const of = Template.fromStack(stack);
    const made = Object.values(of.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
    assert.deepEqual(made.map(({ Threshold }) => Threshold), [10, 10, 0, 0, 0, 0]);
    for (const alarm of made) {
      assert.deepEqual(
        [alarm.ComparisonOperator, alarm.EvaluationPeriods, alarm.TreatMissingData, alarm.AlarmActions ?? []],
        ['GreaterThanThreshold', 1, 'notBreaching', []],
      );
    }
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    for (const [Id, MetricName] of [
      ['refused', 'WriteProvisionedThroughputExceeded'],
      ['accepted', 'IncomingRecords'],
      ['refused', 'PutRecords.ThrottledRecords'],
      ['accepted', 'PutRecords.SuccessfulRecords'],
    ]) {
      const Metric = { Namespace: 'AWS/Kinesis', MetricName, Dimensions: [{ Name: 'StreamName', Value: { Ref: stream } }] };
      of.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Metrics: Match.arrayWith([
          Match.objectLike({ Expression: '100 * refused / (refused + FILL(accepted, 0))' }),
          { Id, MetricStat: { Metric, Period: 300, Stat: 'Sum' }, ReturnData: false },
        ]),
      });
    }
    for (const metric of ['Dropped', 'PlatformDropped', 'DeadLettered', 'BreakerOpenings']) {
      of.hasResourceProperties('AWS::CloudWatch::Alarm', {
        Metrics: [Match.objectLike({ Expression: `SELECT SUM(${metric}) FROM SCHEMA(KinesisTelemetryExtension, FunctionName)`, Period: 300 })],
      });
    }
    assert.equal(variables(of).TELEMETRY_METRICS, 'emf');
    assert.deepEqual(names.map((name) => extension.alarms![name] instanceof cloudwatch.Alarm), names.map(() => true));
  });

  it('announce, act and wait as asked for', () => {
    const stack = makeStack();
    const topic = sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:us-east-1:123456789012:alarms');
    const action: cloudwatch.IAlarmAction = { bind: () => ({ alarmActionArn: 'arn:action' }) };
    const throttledPercent = new CfnParameter(stack, 'Percent', { type: 'Number' }).valueAsNumber;
    makeExtension({ alarms: { topic, actions: [action], period: Duration.minutes(1), evaluationPeriods: 3, throttledPercent } }, stack);
    const of = Template.fromStack(stack);
    of.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic.topicArn, 'arn:action'], EvaluationPeriods: 3 });
    of.hasResourceProperties('AWS::CloudWatch::Alarm', { Metrics: [Match.objectLike({ Period: 60 })], Threshold: 0 });
    of.hasResourceProperties('AWS::CloudWatch::Alarm', { Threshold: { Ref: 'Percent' } });
  });

  it('watch functions alone when asked to', () => {
    const extension = makeExtension({ alarms: { watchStream: false }, dashboard: { watchStream: false } });
    const of = Template.fromStack(Stack.of(extension));
    of.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    assert.equal(extension.alarms!.streamThrottled, undefined);
    assert.ok(!JSON.stringify(of.toJSON()).includes('AWS/Kinesis'));
  });

  it('leave metrics off for a function where that is asked for', () => {
    const stack = makeStack();
    makeExtension({ alarms: {} }, stack).attachTo(makeFunction(stack, 'Fn'), { metrics: MetricsFormat.NONE });
    assert.equal(variables(Template.fromStack(stack)).TELEMETRY_METRICS, 'none');
  });
});

describe('alarms and dashboard of a stream elsewhere', () => {
  const elsewhere = (what: 'alarms' | 'dashboard', env: Environment | undefined, options: object = {}, arn = STREAM_ARN) => {
    const stack = new Stack(makeApp(), 'Test', { env });
    makeExtension({ stream: kinesis.Stream.fromStreamArn(stack, 'Theirs', arn), [what]: options }, stack);
    return stack;
  };
  const home = { account: '210987654321', region: 'eu-central-1' };
  for (const what of ['alarms', 'dashboard'] as const) {
    const message = new RegExp(`^${what}: the metrics of a stream are in its own account and region, here 210987654321 eu-central-1, and cannot be watched from elsewhere: .*\\(context ${what}=functions\\)`);
    for (const env of [{ ...home, account: '123456789012' }, { ...home, region: 'us-east-1' }, { region: 'us-east-1' }]) {
      it(`${what}: refused in ${JSON.stringify(env)}`, () => {
        assert.throws(() => elsewhere(what, env), { name: 'ConfigurationError', message });
        elsewhere(what, env, { watchStream: false });
      });
    }

    it(`${what}: made where it may be the same, or is`, () => {
      for (const env of [home, undefined, { region: home.region }, { account: home.account }]) {
        assert.deepEqual(Annotations.fromStack(elsewhere(what, env)).findWarning('*', Match.anyValue()), []);
      }
    });

    it(`${what}: warned of where the CDK CLI deploys elsewhere`, () => {
      process.env.CDK_DEFAULT_REGION = 'us-east-1';
      process.env.CDK_DEFAULT_ACCOUNT = home.account;
      try {
        const said = Annotations.fromStack(elsewhere(what, undefined));
        said.hasWarning('*', Match.stringLikeRegexp(`Deployed to 210987654321 us-east-1: ${what}: the metrics of a stream`));
      } finally {
        delete process.env.CDK_DEFAULT_REGION;
        delete process.env.CDK_DEFAULT_ACCOUNT;
      }
    });
  }
});

describe('dashboard', () => {
  it('is none by default', () => {
    template().resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  });

  it('shows all of the metrics, and the stream\'s', () => {
    const stack = makeStack();
    const extension = makeExtension({ dashboard: { name: 'telemetry', period: Duration.minutes(5) } }, stack);
    extension.attachTo(makeFunction(stack, 'Fn'));
    const of = Template.fromStack(stack);
    const { DashboardName, DashboardBody } = only(of, 'AWS::CloudWatch::Dashboard').Properties;
    assert.equal(DashboardName, 'telemetry');
    const body = JSON.stringify(DashboardBody);
    for (const metric of METRICS) {
      assert.ok(body.includes(`MetricName=\\\\\\"${metric}\\\\\\"`), metric);
    }
    for (const metric of ['IncomingRecords', 'IncomingBytes', 'PutRecords.SuccessfulRecords', 'WriteProvisionedThroughputExceeded', 'PutRecords.ThrottledRecords', 'GetRecords.IteratorAgeMilliseconds']) {
      assert.ok(body.includes(metric), metric);
    }
    assert.match(body, /, 300\)/);
    assert.equal(variables(of).TELEMETRY_METRICS, 'emf');
    assert.ok(extension.dashboard instanceof cloudwatch.Dashboard);
  });

  it('knows the metrics that the program publishes, in its order', () => {
    const source = readFileSync(`${__dirname}/../../src/protocol/ledger.c`, 'utf8');
    const published = [...source.matchAll(/^ {4}\{".*", "([A-Za-z]+)", /gm)].map(([, name]) => name);
    assert.deepEqual(METRICS.slice(0, -1), published);
    assert.match(source, /definition\(o, "Queued"/);
  });
});

describe('props', () => {
  const stream = kinesis.Stream.fromStreamArn(makeStack(), 'Theirs', STREAM_ARN);
  const wrong = kinesis.Stream.fromStreamArn(makeStack(), 'Theirs', 'arn:aws:kinesis:eu-central-1:1:stream/x');
  const REFUSED: [string, KinesisTelemetryExtensionProps, RegExp][] = [
    ['name of a given stream', { stream, streamName: 'x' }, /^streamName: of a new stream/],
    ['shards of a given stream', { stream, shardCount: 1 }, /^shardCount: of a new stream/],
    ['an ARN of no stream', { stream: wrong }, /^stream: arn:PARTITION:kinesis/],
    ['distribution of a given stream', { stream, recordDistribution: RecordDistribution.AUTO }, /^recordDistribution: of a new stream/],
    ['distribution over so many shards', { recordDistribution: RecordDistribution.AUTO, shardCount: 2 }, /^recordDistribution: only a stream/],
    ['distribution over provisioned shards',
      { recordDistribution: RecordDistribution.USER_PARTITION_KEY, streamMode: kinesis.StreamMode.PROVISIONED }, /^recordDistribution: only a stream/],
    ['no keys for a stream that wants them', { partitionKey: PartitionKey.NONE }, /^partitionKey: NONE needs a stream with recordDistribution AUTO$/],
    ['no keys where these tell the shard',
      { partitionKey: PartitionKey.NONE, recordDistribution: RecordDistribution.USER_PARTITION_KEY }, /^partitionKey: NONE needs/],
    ['shards on demand', { streamMode: kinesis.StreamMode.ON_DEMAND, shardCount: 1 }, /^shardCount: only a stream/],
    ['no shards', { shardCount: 0 }, /^shardCount: a whole number from 1, not 0$/],
    ['name of a stream', { streamName: 'a b' }, /^streamName: 1 to 128/],
    ['short retention', { retentionPeriod: Duration.hours(23) }, /^retentionPeriod: 24 to 8760/],
    ['long retention', { retentionPeriod: Duration.hours(8761) }, /^retentionPeriod: 24 to 8760/],
    ['name of the extension', { extensionName: 'a b' }, /^extensionName: /],
    ['16 runtimes', { compatibleRuntimes: [...LISTED_RUNTIMES, lambda.Runtime.RUBY_3_2] }, /1 to 15, not 16/],
    ['two dead letters', { deadLetter: DeadLetter.STDERR, deadLetterBucket: {} }, /one of them/],
    ['metrics of denied logs', { denyCloudWatchLogs: true, metrics: MetricsFormat.EMF }, /^denyCloudWatchLogs: no metrics/],
    ['alarms of denied logs', { denyCloudWatchLogs: true, alarms: {} }, /^denyCloudWatchLogs: no metrics/],
    ['dead letters on denied logs', { denyCloudWatchLogs: true, deadLetter: DeadLetter.STDERR }, /^denyCloudWatchLogs: no dead/],
    ['alarms without metrics', { alarms: {}, metrics: MetricsFormat.NONE }, /^metrics: alarms and dashboard need MetricsFormat\.EMF/],
    ['a dashboard without metrics', { dashboard: {}, metrics: MetricsFormat.NONE }, /^metrics: alarms and dashboard need/],
    ['name of the policy', { policyName: 'a b' }, /^policyName: 1 to 128 letters/],
    ['a layer without a version', { layerVersionArn: 'arn:aws:lambda:us-east-1:123456789012:layer:l' }, /^layerVersionArn: arn:PARTITION:lambda/],
    ['two layers and one', { layerVersionArn: LAYER_ARN, layerPackaging: LayerPackaging.PER_ARCHITECTURE }, /^layerPackaging: per-architecture makes two/],
    ['removal of a given layer', { layerVersionArn: LAYER_ARN, layerRemovalPolicy: RemovalPolicy.DESTROY }, /^layerRemovalPolicy: of new layers/],
    ['runtimes of a given layer', { layerVersionArn: LAYER_ARN, compatibleRuntimes: LISTED_RUNTIMES }, /^compatibleRuntimes: of new layers/],
    ['all throttled', { alarms: { throttledPercent: 100 } }, /^alarms\.throttledPercent: from 0 to less than 100, not 100$/],
    ['a setting', { flush: 'now' as FlushPolicy }, /^flush: end, continuous, adaptive/],
  ];
  for (const [name, props, message] of REFUSED) {
    it(`refuses ${name}`, () => {
      assert.throws(() => makeExtension(props), { name: 'ConfigurationError', message });
    });
  }
});

describe('a layer of another region', () => {
  it('is refused where that is known, warned of where it is likely', () => {
    const make = (region?: string) => {
      const stack = new Stack(makeApp(), 'Test', { env: { region } });
      makeExtension({ layerVersionArn: LAYER_ARN }, stack);
      return stack;
    };
    const message = /^layerVersionArn: a layer of us-east-1, and it serves functions of that region alone: publish one here$/;
    assert.throws(() => make('eu-west-1'), { name: 'ConfigurationError', message });
    assert.deepEqual(Annotations.fromStack(make('us-east-1')).findWarning('*', Match.anyValue()), []);
    process.env.CDK_DEFAULT_REGION = 'eu-west-1';
    try {
      Annotations.fromStack(make()).hasWarning('*', Match.stringLikeRegexp('eu-west-1: layerVersionArn: a layer of us-east-1'));
    } finally {
      delete process.env.CDK_DEFAULT_REGION;
    }
  });
});

describe('props of JavaScript', () => {
  const stack = makeStack();
  const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'letters');
  // For each prop, values of another kind.
  const WRONG: Record<keyof KinesisTelemetryExtensionProps, unknown[]> & Record<string, unknown[]> = {
    stream: [STREAM_ARN, {}],
    streamName: [1],
    streamMode: ['banana', 'provisioned'],
    recordDistribution: ['auto', true],
    shardCount: ['2'],
    retentionPeriod: [24],
    encryption: ['banana'],
    encryptionKey: ['arn:aws:kms:us-east-1:123456789012:key/k'],
    removalPolicy: ['keep', true],
    layerRemovalPolicy: ['keep', true],
    extensionName: [1],
    layerPackaging: ['zip'],
    layerDirectory: [1],
    compatibleRuntimes: ['nodejs22.x', ['nodejs22.x']],
    layerVersionArn: [1],
    policyName: [{}],
    denyCloudWatchLogs: ['false', 0],
    checkAtDeploy: ['true', 1, {}],
    deadLetterBucket: [true, false, 'letters', { prefix: 1 }, { expiration: 30 }, { expiration: Duration.days(0) }, { expiration: Duration.hours(36) }, { removalPolicy: 'keep' }, { encryptionKey: 'k' }],
    deliverToBucket: [true, { bucket: 'b' }, { freshness: 300 }, { freshness: Duration.seconds(299) }, { freshness: Duration.seconds(901) }, { compression: 'SNAPPY' }, { keyTemplate: 1 }],
    deliverToTable: [true, {}, { tableBucketArn: 1 }, { compression: 'GZIP' }],
    alarms: [true, false, { topic: 'arn' }, { actions: 'arn' }, { actions: ['arn'] }, { period: 60 }, { evaluationPeriods: '3' }, { evaluationPeriods: 0 }, { evaluationPeriods: 1.5 }, { throttledPercent: '1' }, { watchStream: 'no' }],
    dashboard: [true, false, { name: 1 }, { period: 60 }, { watchStream: 'no' }],
    types: ['function', [1], {}],
    recordFormat: ['json', 1],
    logGroup: [1, 'a b'],
    systemLevel: ['info', 1],
    partitionKey: ['request', { value: 'request' }, bucket],
    aggregation: ['LINES', true],
    aggregationMaxSize: [262144],
    linger: [200],
    compression: [true],
    level: ['warn', 40],
    levelDefault: [true],
    levelOnError: ['all'],
    heldMaxSize: [262144],
    filter: [1, ['a']],
    sampleRate: ['0.5', 2],
    redact: ['password', [1]],
    flush: ['now', null],
    flushBudget: [500],
    holdSilence: [500],
    bufferTimeout: ['25'],
    bufferMaxSize: [262144],
    bufferMaxItems: ['1000'],
    oversize: [true],
    drop: [1],
    deadLetter: ['s3://x', 'stderr', bucket],
    metrics: [true],
    queueMaxSize: [65536],
    listenerPort: ['4243'],
    connectTimeout: [500],
    requestTimeout: [500],
    wire: [true],
    logLevel: ['WARN'],
    maxAttempts: ['5'],
    endpointUrl: [1],
    endpointUrlKinesis: [{}],
    endpointUrlS3: [[]],
    ignoreConfiguredEndpointUrls: ['false'],
    useFipsEndpoint: ['false'],
    useDualstackEndpoint: [1],
    proxy: [1, 'socks5://proxy', ''],
    caBundle: [1, 'ca.pem', './ca.pem', ''],
  };
  for (const [name, values] of Object.entries(WRONG)) {
    it(`${name} of another kind is refused in one line that names it`, () => {
      for (const value of values) {
        assert.throws(() => makeExtension({ [name]: value }), (error: Error) => {
          assert.equal(error.name, 'ConfigurationError', error.stack);
          assert.match(error.message, new RegExp(`^${name}\\b.*, not .+$`));
          return true;
        });
      }
    });
  }

  // By a parameter of the template, where what is made depends on the value, or none of its class can come of it.
  const UNKNOWN: Record<string, (token: string) => unknown> = {
    layerPackaging: (token) => token,
    layerDirectory: (token) => token,
    extensionName: (token) => token,
    compatibleRuntimes: (token) => Token.asList(Fn.split(',', token)),
    denyCloudWatchLogs: (token) => token,
    checkAtDeploy: (token) => token,
    encryption: (token) => token,
    removalPolicy: (token) => token,
    layerRemovalPolicy: (token) => token,
    stream: (token) => token,
    partitionKey: (token) => token,
    deadLetter: (token) => token,
    flushBudget: (token) => Token.asNumber(token),
    queueMaxSize: (token) => Token.asNumber(token),
    alarms: (token) => ({ watchStream: token }),
    dashboard: (token) => ({ watchStream: token }),
  };
  for (const [name, value] of Object.entries(UNKNOWN)) {
    it(`${name} that is not known yet is refused in one line that names it`, () => {
      const token = new CfnParameter(makeStack(), 'Parameter').valueAsString;
      const message = new RegExp(`^${name}\\b.*, not a token, which is known when it is deployed$`);
      assert.throws(() => makeExtension({ [name]: value(token) }), { name: 'ConfigurationError', message });
    });
  }

  for (const name of ['recordFormat', 'aggregation', 'compression']) {
    it(`${name} that is not known yet is refused with a delivery, whose format comes of it`, () => {
      const token = new CfnParameter(makeStack(), 'Parameter').valueAsString;
      const message = new RegExp(`^${name}: one that is known here, .*, not a token`);
      assert.throws(() => makeExtension({ [name]: token, deliverToBucket: {} }), { name: 'ConfigurationError', message });
    });
  }

  it('has them all', () => {
    const source = ['settings', 'stream', 'kinesis-telemetry-extension'].map((file) => readFileSync(`${__dirname}/../lib/${file}.ts`, 'utf8'));
    const interfaces = source.map((text) => /export interface (?:TelemetrySettings|NewStreamProps|KinesisTelemetryExtensionProps)\b[^]*?^}/m.exec(text)![0]);
    const names = interfaces.flatMap((text) => [...text.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name));
    assert.ok(names.length > 40);
    assert.deepEqual(names.filter((name) => !(name in WRONG)), []);
  });

  it('of classes and calls are refused too', () => {
    const fn = makeFunction(stack, 'Fn');
    const extension = makeExtension({}, stack);
    for (const [call, message] of [
      [() => DeadLetter.bucket('letters' as never), /^DeadLetter\.bucket\(\): an s3\.IBucket, .*, not "letters"$/],
      [() => DeadLetter.bucket(bucket, 1 as never), /^dead-letter prefix: a text, not 1$/],
      [() => PartitionKey.fixed(1 as never), /^PartitionKey\.fixed\(\): a text, not 1$/],
      [() => extension.attachTo('fn' as never), /^"fn": only a lambda\.Function/],
      [() => extension.attachTo(fn, { flushBudget: 1 as never }), /^flushBudget: a Duration/],
      [() => extension.attachToAll(stack, { exclude: 'Fn' as never }), /^exclude: a function, not "Fn"$/],
      [() => extension.attachToAll(stack, { excludeScopes: [fn, 'Fn'] as never }), /^excludeScopes: a list, each one a construct, not /],
      [() => extension.attachToAll(stack, { settings: { flush: 'now' as never } }), /^flush: end/],
      [() => extension.attachToAll(stack, { includeCdkProviders: 'yes' as never }), /^includeCdkProviders: true or false/],
    ] as [() => void, RegExp][]) {
      assert.throws(call, { name: 'ConfigurationError', message });
    }
    assert.equal(extension.isAttachedTo(fn), false);
  });
});
