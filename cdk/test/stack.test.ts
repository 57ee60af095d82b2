import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RemovalPolicy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import { checkContextKeys } from '../lib/stack-context';
import { FlushPolicy, TelemetryApiKinesisExtensionStackProps } from '../lib';
import { EVERYTHING, LAYER_DIRECTORY, makeApp, makeAppStack, only, variables } from './support/app';
import { table } from './support/readme';

const FUNCTION = 'TelemetryApiKinesisExtensionStack-temp-nodejs20-function';
const TAGS = {
  Application: 'kinesis-telemetry-api-extension',
  CostCenter: 'telemetry',
  Environment: 'development',
  Owner: 'telemetry',
};

const STREAM_ARN = 'arn:aws:kinesis:us-east-1:123456789012:stream/theirs';
const LAYER_ARN = 'arn:aws:lambda:us-east-1:123456789012:layer:l:1';
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:alarms';

/** What alarms do, each set of actions once. */
function actions(of: Template): string[] {
  const alarms = Object.values(of.findResources('AWS::CloudWatch::Alarm'));
  return [...new Set(alarms.map(({ Properties }) => Properties.AlarmActions.join(' ')))];
}

function template(context: Record<string, unknown> = {}, props: TelemetryApiKinesisExtensionStackProps = {}): Template {
  return Template.fromStack(makeAppStack(context, props));
}

function tagsOf(resource: any): Record<string, string> {
  const { Tags } = resource.Properties;
  return Array.isArray(Tags) ? Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])) : Tags;
}

describe('the default stack', () => {
  const stack = makeAppStack();
  const of = Template.fromStack(stack);

  it('is the same as ever', () => {
    const path = join(__dirname, 'snapshots', 'default.json');
    // Of another zip the asset has another name.
    const now = `${JSON.stringify(of.toJSON(), null, 2).replace(/[0-9a-f]{64}\.zip/g, 'HASH.zip')}\n`;
    if (process.env.UPDATE_SNAPSHOTS) {
      writeFileSync(path, now);
    }
    assert.equal(now, readFileSync(path, 'utf8'), 'npm run test:update takes it as the new snapshot');
  });

  it('has the stream', () => {
    const stream = only(of, 'AWS::Kinesis::Stream');
    assert.equal(stream.Properties.Name, 'telemetry-kinesis-stream');
    assert.equal(stream.DeletionPolicy, 'Delete');
    assert.deepEqual(tagsOf(stream), TAGS);
  });

  it('has the layer for both CPUs', () => {
    const layer = only(of, 'AWS::Lambda::LayerVersion').Properties;
    assert.equal(layer.LayerName, 'kinesis-telemetry-api-extension');
    assert.deepEqual(layer.CompatibleArchitectures, ['x86_64', 'arm64']);
    assert.equal(layer.CompatibleRuntimes.length, 15);
  });

  it('has the policy', () => {
    const policy = only(of, 'AWS::IAM::ManagedPolicy').Properties;
    assert.equal(policy.ManagedPolicyName, 'kinesis-telemetry-api-extension-runtime');
    assert.deepEqual(policy.PolicyDocument.Statement.map(({ Action }: any) => Action).flat(), [
      'kinesis:PutRecords',
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it('has the parameters', () => {
    const [layer] = Object.keys(of.findResources('AWS::Lambda::LayerVersion'));
    const [policy] = Object.keys(of.findResources('AWS::IAM::ManagedPolicy'));
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    const parameters = Object.values(of.findResources('AWS::SSM::Parameter'));
    assert.deepEqual(parameters.map(({ Properties: p }) => [p.Name, p.Type, p.Value.Ref]), [
      ['/telemetry/kinesis/extension/arn', 'String', layer],
      ['/telemetry/kinesis/runtime/policy/arn', 'String', policy],
      ['/telemetry/kinesis/stream/arn', 'String', undefined],
    ]);
    assert.deepEqual(parameters[2].Properties.Value, { 'Fn::GetAtt': [stream, 'Arn'] });
    // The stack's tags reach them by CloudFormation.
    assert.deepEqual(parameters.map(({ Properties: p }) => p.Tags), [undefined, undefined, undefined]);
  });

  it('has the outputs', () => {
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    const [layer] = Object.keys(of.findResources('AWS::Lambda::LayerVersion'));
    const [policy] = Object.keys(of.findResources('AWS::IAM::ManagedPolicy'));
    const outputs = Object.entries(of.findOutputs('*')).map(([name, { Value }]) => [name, Value]);
    assert.deepEqual(Object.fromEntries(outputs), {
      StreamArn: { 'Fn::GetAtt': [stream, 'Arn'] },
      LayerArn: { Ref: layer },
      PolicyArn: { Ref: policy },
    });
  });

  it('has the function, which logs its event as JSON', () => {
    const fn = only(of, 'AWS::Lambda::Function').Properties;
    const [group] = Object.keys(of.findResources('AWS::Logs::LogGroup'));
    const [layer] = Object.keys(of.findResources('AWS::Lambda::LayerVersion'));
    assert.equal(fn.FunctionName, FUNCTION);
    assert.equal(fn.Runtime, 'nodejs24.x');
    assert.match(fn.Code.ZipFile, /console\.log\(event\)/);
    assert.deepEqual(fn.LoggingConfig, { LogFormat: 'JSON', LogGroup: { Ref: group } });
    assert.deepEqual(fn.Layers, [{ Ref: layer }]);
    assert.deepEqual(tagsOf(only(of, 'AWS::Lambda::Function')), TAGS);
  });

  it('has its code right', async () => {
    const code = only(of, 'AWS::Lambda::Function').Properties.Code.ZipFile;
    const logged: unknown[] = [];
    const module = { exports: {} as { handler?: (event: unknown) => Promise<unknown> } };
    new Function('exports', 'console', code)(module.exports, { log: (event: unknown) => logged.push(event) });
    await module.exports.handler!({ a: 1 });
    assert.deepEqual(logged, [{ a: 1 }]);
  });

  it('has its role, with the policy and nothing else', () => {
    const [policy] = Object.keys(of.findResources('AWS::IAM::ManagedPolicy'));
    const [role] = Object.keys(of.findResources('AWS::IAM::Role'));
    assert.deepEqual(only(of, 'AWS::IAM::Role').Properties.ManagedPolicyArns, [{ Ref: policy }]);
    assert.deepEqual(only(of, 'AWS::Lambda::Function').Properties.Role, { 'Fn::GetAtt': [role, 'Arn'] });
    of.resourceCountIs('AWS::IAM::Policy', 0);
  });

  it('has its log group, of one day, which goes with the stack', () => {
    const group = only(of, 'AWS::Logs::LogGroup');
    assert.equal(group.Properties.LogGroupName, `/aws/lambda/${FUNCTION}`);
    assert.equal(group.Properties.RetentionInDays, 1);
    assert.equal(group.DeletionPolicy, 'Delete');
    assert.equal(group.UpdateReplacePolicy, 'Delete');
    assert.deepEqual(tagsOf(group), TAGS);
  });

  it('has nothing else', () => {
    const types = Object.values(of.toJSON().Resources).map(({ Type }: any) => Type);
    assert.deepEqual(types.sort(), [
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Role',
      'AWS::Kinesis::Stream',
      'AWS::Lambda::Function',
      'AWS::Lambda::LayerVersion',
      'AWS::Logs::LogGroup',
      'AWS::SSM::Parameter',
      'AWS::SSM::Parameter',
      'AWS::SSM::Parameter',
    ]);
  });

  it('leaves nothing behind but the layer, whatever it is made of; with layerRemovalPolicy=destroy nothing at all', () => {
    const left = (context: Record<string, string>) =>
      Object.values<any>(template(context).toJSON().Resources)
        .filter(({ DeletionPolicy }) => DeletionPolicy !== undefined && DeletionPolicy !== 'Delete')
        .map(({ Type }) => Type);
    const given = { deadLetterBucket: 'true', streamArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/theirs' };
    const contexts: Record<string, string>[] = [{}, { deadLetterBucket: 'true' }, { ...EVERYTHING }, given];
    for (const context of contexts) {
      assert.deepEqual(new Set(left(context)), new Set(['AWS::Lambda::LayerVersion']));
      assert.deepEqual(left({ ...context, layerRemovalPolicy: 'destroy' }), []);
    }
  });

  it('keeps what can be kept, when asked to', () => {
    const of = template({ deadLetterBucket: 'true', encryption: 'kms', removalPolicy: 'retain' });
    for (const type of ['AWS::S3::Bucket', 'AWS::Kinesis::Stream', 'AWS::KMS::Key']) {
      assert.equal(only(of, type).DeletionPolicy, 'Retain', type);
    }
  });

  it('encrypts stream, bucket and log group with its key, which allows CloudWatch Logs that', () => {
    const of = template({ deadLetterBucket: 'true', encryption: 'kms' });
    const [key] = Object.keys(of.findResources('AWS::KMS::Key'));
    const arn = { 'Fn::GetAtt': [key, 'Arn'] };
    assert.deepEqual(only(of, 'AWS::Logs::LogGroup').Properties.KmsKeyId, arn);
    of.hasResourceProperties('AWS::S3::Bucket', { BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { KMSMasterKeyID: arn } }] } });
    const statement = only(of, 'AWS::KMS::Key').Properties.KeyPolicy.Statement.find(({ Sid }: any) => Sid === 'EncryptExampleLogs');
    assert.deepEqual(statement.Action.sort(), ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*']);
    assert.deepEqual(statement.Principal, { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]] } });
    const condition = JSON.stringify(statement.Condition.ArnEquals['kms:EncryptionContext:aws:logs:arn']);
    assert.match(condition, new RegExp(`:log-group:/aws/lambda/${FUNCTION}"`));
  });

  it('leaves the log group as it is with a key whose policy it cannot change', () => {
    const outer = makeAppStack({}, { exampleFunction: false });
    const encryptionKey = kms.Key.fromKeyArn(outer, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef');
    assert.equal(only(template({}, { encryptionKey }), 'AWS::Logs::LogGroup').Properties.KmsKeyId, undefined);
  });

  it('is tagged itself', () => {
    const app = makeAppStack();
    const artifact = (app.node.root as any).synth().getStackByName('TelemetryApiKinesisExtensionStack');
    assert.deepEqual(artifact.tags, TAGS);
  });
});

describe('context', () => {
  const SET: [Record<string, unknown>, string, (of: Template) => unknown, unknown][] = [
    [{ streamName: 's' }, 'name of the stream', (of) => only(of, 'AWS::Kinesis::Stream').Properties.Name, 's'],
    [{ streamMode: 'PROVISIONED' }, 'mode', (of) => only(of, 'AWS::Kinesis::Stream').Properties.ShardCount, 1],
    [{ streamMode: 'on-demand' }, 'mode', (of) => only(of, 'AWS::Kinesis::Stream').Properties.StreamModeDetails.StreamMode, 'ON_DEMAND'],
    [{ recordDistribution: 'auto' }, 'distribution', (of) => only(of, 'AWS::Kinesis::Stream').Properties.RecordDistributionStrategy, 'AUTO'],
    [{ recordDistribution: 'auto' }, 'keys', (of) => variables(of).TELEMETRY_PARTITION_KEY, 'none'],
    [{ recordDistribution: 'USER_PARTITION_KEY' }, 'keys', (of) => variables(of).TELEMETRY_PARTITION_KEY, undefined],
    [{ shardCount: '4' }, 'shards', (of) => only(of, 'AWS::Kinesis::Stream').Properties.ShardCount, 4],
    [{ shardCount: 4 }, 'shards as a number', (of) => only(of, 'AWS::Kinesis::Stream').Properties.ShardCount, 4],
    [{ retentionHours: '72' }, 'retention', (of) => only(of, 'AWS::Kinesis::Stream').Properties.RetentionPeriodHours, 72],
    [{ encryption: 'kms' }, 'encryption', (of) => Object.keys(of.findResources('AWS::KMS::Key')).length, 1],
    [{ removalPolicy: 'retain' }, 'removal policy', (of) => only(of, 'AWS::Kinesis::Stream').DeletionPolicy, 'Retain'],
    [{ layerRemovalPolicy: 'destroy' }, 'removal policy of the layer', (of) => only(of, 'AWS::Lambda::LayerVersion').UpdateReplacePolicy, 'Delete'],
    [{ policyName: 'p', extensionName: 'e' }, 'name of the policy', (of) => only(of, 'AWS::IAM::ManagedPolicy').Properties.ManagedPolicyName, 'p'],
    [{ extensionName: 'e' }, 'name of the layer', (of) => only(of, 'AWS::Lambda::LayerVersion').Properties.LayerName, 'e'],
    [{ extensionName: 'e' }, 'name of the policy', (of) => only(of, 'AWS::IAM::ManagedPolicy').Properties.ManagedPolicyName, 'e-runtime'],
    [{ layerPackaging: 'per-architecture' }, 'layers', (of) => Object.keys(of.findResources('AWS::Lambda::LayerVersion')).length, 2],
    [
      { layerPackaging: 'per-architecture' },
      'parameters of the layers',
      (of) => Object.values(of.findResources('AWS::SSM::Parameter')).map(({ Properties }) => Properties.Name).slice(0, 2),
      ['/telemetry/kinesis/extension/x86_64/arn', '/telemetry/kinesis/extension/arm64/arn'],
    ],
    [
      { layerPackaging: 'per-architecture' },
      'outputs of the layers',
      (of) => Object.keys(of.findOutputs('*')).sort(),
      ['LayerArm64Arn', 'LayerX8664Arn', 'PolicyArn', 'StreamArn'],
    ],
    [
      { layerVersionArn: 'arn:aws:lambda:us-east-1:123456789012:layer:l:1' },
      'a layer that exists',
      (of) => only(of, 'AWS::Lambda::Function').Properties.Layers,
      ['arn:aws:lambda:us-east-1:123456789012:layer:l:1'],
    ],
    [
      { streamArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/theirs' },
      'a stream that exists',
      (of) => [Object.keys(of.findResources('AWS::Kinesis::Stream')).length, variables(of).KINESIS_STREAM_ARN],
      [0, 'arn:aws:kinesis:us-east-1:123456789012:stream/theirs'],
    ],
    [
      { parameterPrefix: '/a' },
      'parameters',
      (of) => Object.values(of.findResources('AWS::SSM::Parameter')).map(({ Properties }) => Properties.Name),
      ['/a/extension/arn', '/a/runtime/policy/arn', '/a/stream/arn'],
    ],
    [{ policyName: 'mine', extensionName: 'e' }, 'its own name of the policy', (of) => only(of, 'AWS::IAM::ManagedPolicy').Properties.ManagedPolicyName, 'mine'],
    [{ alarms: 'functions', dashboard: 'functions', streamArn: STREAM_ARN }, 'alarms without the stream', (of) => Object.keys(of.findResources('AWS::CloudWatch::Alarm')).length, 4],
    [{ alarms: 'true', alarmActions: `${TOPIC}, ${TOPIC}2` }, 'actions of alarms', (of) => actions(of), [`${TOPIC} ${TOPIC}2`]],
    [{ alarms: true, alarmActions: [TOPIC] }, 'actions of alarms as a list', (of) => actions(of), [TOPIC]],
    [{ streamArn: STREAM_ARN, deadLetterBucket: 'true', removalPolicy: 'retain' }, 'removal policy of the bucket', (of) => only(of, 'AWS::S3::Bucket').DeletionPolicy, 'Retain'],
    [{ exampleFunction: 'false' }, 'no function', (of) => Object.keys(of.findResources('AWS::Lambda::Function')).length, 0],
    [{ exampleFunction: false }, 'no log group', (of) => Object.keys(of.findResources('AWS::Logs::LogGroup')).length, 0],
    [{ deadLetterBucket: 'true' }, 'bucket', (of) => Object.keys(of.findResources('AWS::S3::Bucket')).length, 1],
    [{ deadLetterBucket: 'false' }, 'no bucket', (of) => Object.keys(of.findResources('AWS::S3::Bucket')).length, 0],
    [{ deliverToBucket: 'true' }, 'delivery', (of) => Object.keys(of.findResources('AWS::Kinesis::Channel')).length, 1],
    [{ deliverToBucket: 'false' }, 'no delivery', (of) => Object.keys(of.findResources('AWS::Kinesis::Channel')).length, 0],
    [{ alarms: 'true' }, 'alarms', (of) => Object.keys(of.findResources('AWS::CloudWatch::Alarm')).length, 6],
    [{ dashboard: 'true' }, 'dashboard', (of) => Object.keys(of.findResources('AWS::CloudWatch::Dashboard')).length, 1],
    [
      { denyCloudWatchLogs: 'true' },
      'denied logs',
      (of) => only(of, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement[1].Effect,
      'Deny',
    ],
    [{ stackName: 'Mine' }, 'name of the function', (of) => only(of, 'AWS::Lambda::Function').Properties.FunctionName, 'Mine-temp-nodejs20-function'],
    [{ CostCenter: '1', Environment: '2' }, 'tags', (of) => tagsOf(only(of, 'AWS::Kinesis::Stream')), { ...TAGS, CostCenter: '1', Environment: '2' }],
    [{ application: '3', owner: '4' }, 'tags in lower case', (of) => tagsOf(only(of, 'AWS::Kinesis::Stream')), { ...TAGS, Application: '3', Owner: '4' }],
  ];
  for (const [context, what, found, wanted] of SET) {
    it(`${JSON.stringify(context)}: ${what}`, () => {
      assert.deepEqual(found(template(context)), wanted);
    });
  }

  const REFUSED: [Record<string, unknown>, RegExp][] = [
    [{ streamMode: 'banana' }, /^context streamMode: PROVISIONED or ON_DEMAND, not "banana"$/],
    [{ recordDistribution: 'none' }, /^context recordDistribution: USER_PARTITION_KEY or AUTO, not "none"$/],
    [{ recordDistribution: 'AUTO', shardCount: '2' }, /^recordDistribution: only a stream with streamMode ON_DEMAND has one$/],
    [{ shardCount: '1.5' }, /^context shardCount: a whole number, not "1.5"$/],
    [{ shardCount: '0' }, /^shardCount: a whole number from 1/],
    [{ shardCount: '2', streamMode: 'ON_DEMAND' }, /^shardCount: only a stream/],
    [{ retentionHours: '23' }, /^context retentionHours: 24 to 8760, not 23$/],
    [{ retentionHours: '8761' }, /^context retentionHours: 24 to 8760, not 8761$/],
    [{ retentionHours: 'day' }, /^context retentionHours: a whole number/],
    [{ encryption: 'rot13' }, /^context encryption: /],
    [{ layerRemovalPolicy: 'keep' }, /^context layerRemovalPolicy: destroy or retain/],
    [{ removalPolicy: 'keep' }, /^context removalPolicy: destroy or retain/],
    [{ layerPackaging: 'zip' }, /^context layerPackaging: universal or per-architecture/],
    [{ alarms: 'yes' }, /^context alarms: true or false or functions, not "yes"$/],
    [{ streamName: '' }, /^context streamName: a text, not ""$/],
    [{ streamName: ['a'] }, /^context streamName: a text, not \["a"\]$/],
    [{ streamArn: 'arn:aws:kinesis:us-east-1:1:stream/x' }, /^context streamArn: arn:PARTITION:kinesis/],
    ...Object.entries({ streamName: 's', streamMode: 'ON_DEMAND', recordDistribution: 'AUTO', shardCount: '1', retentionHours: '24', encryption: 'KMS', removalPolicy: 'retain' }).map(
      ([key, value]): [Record<string, unknown>, RegExp] => [
        { streamArn: STREAM_ARN, [key]: value },
        new RegExp(`^context ${key}: of a new stream, and streamArn names one that exists: leave one of them out$`),
      ],
    ),
    [{ layerVersionArn: LAYER_ARN, layerPackaging: 'per-architecture' }, /^layerPackaging: per-architecture makes two new layers, and one is given with layerVersionArn$/],
    [{ layerVersionArn: LAYER_ARN.replace(/:1$/, '') }, /^layerVersionArn: arn:PARTITION:lambda:REGION:ACCOUNT:layer:NAME:VERSION, not /],
    [{ policyName: 'a policy' }, /^policyName: 1 to 128 letters, digits or _ \+ = , \. @ -, not "a policy"$/],
    [{ alarmActions: TOPIC }, /^context alarmActions: of alarms, and there are none: alarms=true$/],
    [{ alarmActions: TOPIC, alarms: 'false' }, /^context alarmActions: of alarms/],
    [{ alarmActions: 'ops', alarms: 'true' }, /^context alarmActions: ARNs, as arn:aws:sns:us-east-1:123456789012:alarms, not "ops"$/],
    [{ Owner: 'a', owner: 'b' }, /^context Owner, owner: the same, with two values/],
    [{ denyCloudWatchLogs: 'true', dashboard: 'true' }, /^denyCloudWatchLogs: no metrics/],
    [{ parameterPrefix: 'telemetry' }, /^parameterPrefix: as \/telemetry\/kinesis, not "telemetry"$/],
    [{ extensionName: 'a b' }, /^extensionName: /],
    [{ Owner: 'a\u0000' }, /^tag Owner: /],
    [{ stackName: 'a'.repeat(42) }, /^stackName: 41 characters at most/],
    [{ layerDirectory: '/nowhere' }, /kinesis-telemetry-api-extension\.zip is missing: .*\.\/build\.sh layer/],
  ];
  for (const [context, message] of REFUSED) {
    it(`refuses ${JSON.stringify(context)}`, () => {
      assert.throws(() => template(context), { name: 'ConfigurationError', message });
    });
  }
});

describe('context of the app', () => {
  const check = (context: Record<string, unknown>) => checkContextKeys(makeApp(context));
  const CDK = {
    'aws:cdk:enable-path-metadata': true,
    'aws-cdk:enableDiffNoFail': 'true',
    '@aws-cdk/core:newStyleStackSynthesis': true,
    'availability-zones:account=123456789012:region=us-east-1': ['us-east-1a'],
    'cli-telemetry': false,
    'acknowledged-issue-numbers': [1],
  };

  it('may have the keys of the stack and those of the CDK', () => {
    check({ ...CDK, ...EVERYTHING, streamArn: STREAM_ARN, policyName: 'p', CostCenter: '1', owner: '2', alarmActions: TOPIC, retentionHours: 24 });
  });

  it('may not check a function that it does not make', () => {
    assert.throws(() => check({ checkAtDeploy: 'true', exampleFunction: 'false' }), {
      name: 'ConfigurationError',
      message: /^context checkAtDeploy: of the example function, and there is none: leave exampleFunction out$/,
    });
  });

  it('has every key that the README names', () => {
    const keys = table('Key', 'Value', 'Default').flatMap(([named]) => [...named.matchAll(/`(\w+)`/g)].map(([, key]) => key));
    assert.ok(keys.length > 20);
    for (const key of keys) {
      check({ [key]: 'x' });
    }
  });

  it('has the defaults that the README names: given as context they change nothing', () => {
    // As words: of keys whose default is another's or a file, or needs more beside it, there is none here.
    const rows = table('Key', 'Value', 'Default').flatMap(([named, , preset]) => {
      const keys = [...named.matchAll(/`(\w+)`/g)].map(([, key]) => key);
      const words = preset.replace(/;.*/, '').split(', ').map((word) => word.match(/^(?:else )?`?([\w/-]+)`?$/)?.[1]);
      return keys.map((key, i) => [key, i < words.length ? words[i] : words.at(-1)] as const);
    }).filter(([key, word]) => word !== undefined && !/^(policyName|shardCount|layerDirectory|layerVersionArn)$/.test(key));
    assert.ok(rows.length > 15, `${rows}`);
    // What CloudFormation takes for the same.
    const without = (_: string, value: any) => value?.RecordDistributionStrategy === 'USER_PARTITION_KEY'
      ? { ...value, RecordDistributionStrategy: undefined }
      : value;
    const plain = (of: Template) => JSON.stringify(of.toJSON(), without);
    const usual = plain(template());
    for (const [key, word] of rows) {
      assert.equal(plain(template({ [key]: word })), usual, `${key}=${word}`);
    }
  });

  it('has the hours that the README names', () => {
    const [, hours] = table('Key', 'Value', 'Default').find(([named]) => named === '`retentionHours`')!;
    const [least, most] = hours.match(/\d+/g)!.map(Number);
    for (const [at, beyond] of [[least, least - 1], [most, most + 1]]) {
      template({ retentionHours: `${at}` });
      assert.throws(() => template({ retentionHours: `${beyond}` }), { name: 'ConfigurationError' });
    }
  });

  for (const [key, message] of [
    ['removalPolcy', /^context removalPolcy: no such key: is removalPolicy meant\?$/],
    ['streamname', /^context streamname: no such key: is streamName meant\?$/],
    ['stream-name', /^context stream-name: no such key: is streamName meant\?$/],
    ['alarm', /^context alarm: no such key: is alarms meant\?$/],
    ['retentionPeriod', /^context retentionPeriod: no such key; cdk\/README\.md has the list$/],
    ['kms', /^context kms: no such key; cdk\/README\.md has the list$/],
    ['telemetry.kms', /^context telemetry\.kms: no such key; cdk\/README\.md has the list$/],
    ['customer_key', /^context customer_key: no such key; cdk\/README\.md has the list$/],
  ] as const) {
    it(`may not have ${key}`, () => {
      assert.throws(() => check({ [key]: 'true' }), { name: 'ConfigurationError', message });
    });
  }

  it('has a line for each of them', () => {
    assert.throws(() => check({ dashbord: 'true', colour: 'red' }), { message: /^context dashbord: .*\ncontext colour: .*$/ });
  });
});

describe('props', () => {
  it('win over context, and hand settings on', () => {
    const of = template(
      { streamName: 'context', CostCenter: 'context' },
      { streamName: 'prop', costCenter: 'prop', flush: FlushPolicy.END, removalPolicy: RemovalPolicy.RETAIN, owner: undefined },
    );
    const stream = only(of, 'AWS::Kinesis::Stream');
    assert.equal(stream.Properties.Name, 'prop');
    assert.equal(stream.DeletionPolicy, 'Retain');
    assert.deepEqual(tagsOf(stream), { ...TAGS, CostCenter: 'prop' });
    assert.equal(variables(of).TELEMETRY_FLUSH, 'end');
  });

  it('take a stream that there is', () => {
    const outer = makeAppStack({}, { exampleFunction: false });
    const stream = kinesis.Stream.fromStreamArn(outer, 'Theirs', 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs');
    const of = template({}, { stream });
    of.resourceCountIs('AWS::Kinesis::Stream', 0);
  });

  it('are refused when they are of another kind', () => {
    for (const [props, message] of [
      [{ exampleFunction: 'false' }, /^exampleFunction: true or false, without quotation marks, not "false"$/],
      [{ parameterPrefix: 1 }, /^parameterPrefix: a text, not 1$/],
      [{ owner: { team: 'x' } }, /^owner: a text, not \{"team":"x"\}$/],
    ] as const) {
      assert.throws(() => template({}, props as never), { name: 'ConfigurationError', message });
    }
  });

  it('make what is public', () => {
    const stack = makeAppStack({ layerDirectory: LAYER_DIRECTORY });
    assert.equal(stack.extensionParameters.length, 1);
    const { extension, policyParameter, streamParameter, exampleFunction, exampleRole, exampleLogGroup } = stack;
    for (const made of [extension, policyParameter, streamParameter, exampleFunction, exampleRole, exampleLogGroup]) {
      assert.ok(made);
    }
  });
});
