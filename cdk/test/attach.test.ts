import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Aspects, Size, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import {
  Aggregation, AttachKinesisTelemetry, DeadLetter, FlushPolicy, LogLevel, MetricsFormat, PartitionKey, RecordFormat, TelemetrySettings,
} from '../lib';
import { makeApp, makeExtension, makeFunction, makeStack, only, variables } from './support/app';

describe('attachTo', () => {
  it('refuses what needs log lines where these are denied, and settings that are none', () => {
    const stack = makeStack();
    const extension = makeExtension({ denyCloudWatchLogs: true }, stack);
    const fn = makeFunction(stack, 'Fn');
    for (const again of [false, true]) {
      assert.throws(() => extension.attachTo(fn, { metrics: MetricsFormat.EMF }), { message: /^denyCloudWatchLogs: no metrics/ }, `${again}`);
      assert.throws(() => extension.attachTo(fn, { deadLetter: DeadLetter.STDERR }), { message: /^denyCloudWatchLogs: no dead letters/ });
      assert.throws(() => extension.attachTo(fn, 'end' as any), { message: /^settings of a function: an object of options/ });
      extension.attachTo(fn);
    }
  });

  it('adds layer, policy and settings', () => {
    const stack = makeStack();
    const extension = makeExtension({ flush: FlushPolicy.END, partitionKey: PartitionKey.REQUEST }, stack);
    extension.attachTo(makeFunction(stack, 'Fn', { environment: { MINE: '1' } }));
    const of = Template.fromStack(stack);
    const [layer] = Object.keys(of.findResources('AWS::Lambda::LayerVersion'));
    const [policy] = Object.keys(of.findResources('AWS::IAM::ManagedPolicy'));
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    assert.deepEqual(only(of, 'AWS::Lambda::Function').Properties.Layers, [{ Ref: layer }]);
    assert.deepEqual(only(of, 'AWS::IAM::Role').Properties.ManagedPolicyArns[1], { Ref: policy });
    assert.deepEqual(variables(of), {
      MINE: '1',
      KINESIS_STREAM_ARN: { 'Fn::GetAtt': [stream, 'Arn'] },
      TELEMETRY_FLUSH: 'end',
      TELEMETRY_PARTITION_KEY: 'request',
    });
  });

  it('does so once', () => {
    const stack = makeStack();
    const extension = makeExtension({}, stack);
    const fn = makeFunction(stack, 'Fn');
    extension.attachTo(fn);
    extension.attachTo(fn);
    const of = Template.fromStack(stack);
    assert.equal(only(of, 'AWS::Lambda::Function').Properties.Layers.length, 1);
    assert.equal(only(of, 'AWS::IAM::Role').Properties.ManagedPolicyArns.length, 2);
  });

  it('takes settings for one function, also afterwards', () => {
    const stack = makeStack();
    const extension = makeExtension({ flush: FlushPolicy.END, logLevel: LogLevel.INFO }, stack);
    const fn = makeFunction(stack, 'Fn');
    extension.attachTo(fn, { flush: FlushPolicy.CONTINUOUS, logLevel: undefined });
    extension.attachTo(fn);
    extension.attachTo(fn, { maxAttempts: 3 });
    const { KINESIS_STREAM_ARN, ...rest } = variables(Template.fromStack(stack));
    assert.deepEqual(rest, { TELEMETRY_FLUSH: 'continuous', TELEMETRY_LOG_LEVEL: 'info', AWS_MAX_ATTEMPTS: '3' });
  });

  it('takes a setting that goes with another one, whenever that was given', () => {
    const size = { aggregationMaxSize: Size.kibibytes(64) };
    for (const attach of [
      (stack: Stack) => makeExtension({ aggregation: Aggregation.LINES }, stack).attachTo(makeFunction(stack, 'Fn'), size),
      (stack: Stack) => {
        const extension = makeExtension({ aggregation: Aggregation.LINES }, stack);
        const fn = makeFunction(stack, 'Fn');
        extension.attachTo(fn);
        extension.attachTo(fn, size);
      },
      (stack: Stack) => {
        const extension = makeExtension({}, stack);
        const fn = makeFunction(stack, 'Fn');
        extension.attachTo(fn, { aggregation: Aggregation.LINES });
        extension.attachTo(fn, size);
      },
      (stack: Stack) => {
        makeFunction(stack, 'Fn');
        makeExtension({ aggregation: Aggregation.LINES }, stack).attachToAll(stack, { settings: size });
      },
    ]) {
      const stack = makeStack();
      attach(stack);
      const { KINESIS_STREAM_ARN, ...rest } = variables(Template.fromStack(stack));
      assert.deepEqual(rest, { TELEMETRY_AGGREGATION: 'lines', TELEMETRY_AGGREGATION_MAX_BYTES: '65536' });
    }
  });

  it('refuses one that does not go with another one, whenever that was given', () => {
    const size = { aggregationMaxSize: Size.kibibytes(64) };
    const stack = makeStack();
    const [extension, ofLines] = [makeExtension({}, stack), makeExtension({ aggregation: Aggregation.LINES, ...size }, stack, 'Lines')];
    const [fn, other] = [makeFunction(stack, 'Fn'), makeFunction(stack, 'Other')];
    extension.attachTo(fn);
    ofLines.attachTo(other);
    const small = { queueMaxSize: Size.kibibytes(100) };
    for (const [call, message] of [
      [() => extension.attachTo(fn, size), /^aggregationMaxSize: .* needs aggregation: lines with it, not none$/],
      [() => ofLines.attachTo(other, { aggregation: Aggregation.NONE }), /^aggregationMaxSize: .* needs aggregation: lines with it, not none$/],
      [() => ofLines.attachTo(other, small), /^aggregationMaxSize in bytes: at most half of queueMaxSize, 51200, not 65536 bytes$/],
      [() => ofLines.attachTo(makeFunction(stack, 'Third'), small), /^aggregationMaxSize in bytes: at most half of queueMaxSize/],
    ] as [() => void, RegExp][]) {
      assert.throws(call, { name: 'ConfigurationError', message });
    }
    const all = makeStack();
    makeExtension({}, all).attachToAll(all, { settings: size });
    makeFunction(all, 'Fn');
    assert.throws(() => Template.fromStack(all), /aggregationMaxSize: .* needs aggregation: lines with it, not none/);
  });

  it('keeps what the function has by itself, set before or after', () => {
    const stack = makeStack();
    const extension = makeExtension({ flush: FlushPolicy.END, logLevel: LogLevel.INFO }, stack);
    const fn = makeFunction(stack, 'Fn', { environment: { TELEMETRY_FLUSH: 'adaptive' } });
    extension.attachTo(fn);
    fn.addEnvironment('TELEMETRY_LOG_LEVEL', 'debug');
    extension.attachTo(fn);
    Annotations.fromStack(stack).hasInfo('/Test/Fn', Match.stringLikeRegexp('TELEMETRY_FLUSH=adaptive of the function itself is kept'));
    const { TELEMETRY_FLUSH, TELEMETRY_LOG_LEVEL } = variables(Template.fromStack(stack));
    assert.deepEqual([TELEMETRY_FLUSH, TELEMETRY_LOG_LEVEL], ['adaptive', 'debug']);
  });

  it('keeps a proxy that the function has by itself, without a word of passwords', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn', { environment: { TELEMETRY_PROXY: 'http://u:secret@one.example' } });
    makeExtension({ proxy: 'http://u:secret@other.example' }, stack).attachTo(fn);
    Annotations.fromStack(stack).hasInfo('/Test/Fn', 'TELEMETRY_PROXY of the function itself is kept');
    assert.equal(variables(Template.fromStack(stack)).TELEMETRY_PROXY, 'http://u:secret@one.example');
  });

  it('takes back the dead letter for one function', () => {
    const stack = makeStack();
    const extension = makeExtension({ deadLetterBucket: {} }, stack);
    extension.attachTo(makeFunction(stack, 'Fn'), { deadLetter: DeadLetter.NONE });
    assert.equal(variables(Template.fromStack(stack)).TELEMETRY_DEAD_LETTER, undefined);
  });

  it('allows one function its own dead letter', () => {
    const stack = makeStack();
    const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'letters');
    makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn'), { deadLetter: DeadLetter.bucket(bucket, 'fn') });
    const of = Template.fromStack(stack);
    assert.equal(variables(of).TELEMETRY_DEAD_LETTER, 's3://letters/fn');
    of.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Sid: 'PutDeadLetters',
            Effect: 'Allow',
            Action: 's3:PutObject',
            Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::letters/fn/*']] },
          },
        ],
      },
    });
  });

  const groups: [string, (stack: Stack) => Partial<lambda.FunctionProps>, unknown][] = [
    ['no group of its own', () => ({}), undefined],
    ['one that Lambda would make', (stack) => ({ logGroup: new logs.LogGroup(stack, 'Group', { logGroupName: '/aws/lambda/fn' }) }), undefined],
    ['one that Lambda would make, imported', (stack) => ({ logGroup: logs.LogGroup.fromLogGroupName(stack, 'Group', '/aws/lambda/fn') }), undefined],
    ['an imported one', (stack) => ({ logGroup: logs.LogGroup.fromLogGroupName(stack, 'Group', '/mine/fn') }), ':log-group:/mine/fn:*'],
    ['one with a name', (stack) => ({ logGroup: new logs.LogGroup(stack, 'Group', { logGroupName: '/mine/fn' }) }), { Ref: 'Group' }],
    ['one without', (stack) => ({ logGroup: new logs.LogGroup(stack, 'Group') }), { Ref: 'Group' }],
  ];
  for (const [name, props, group] of groups) {
    it(`allows logs to the function's group: ${name}`, () => {
      const stack = makeStack();
      makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn', props(stack)));
      const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
      const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
      assert.equal(statements.length, group === undefined ? 0 : 1);
      if (group !== undefined) {
        const { Sid, Action, Resource } = statements[0];
        assert.deepEqual([Sid, Action], ['WriteOwnLogs', ['logs:CreateLogStream', 'logs:PutLogEvents']]);
        const text = JSON.stringify(Resource).replace(/"Group[0-9A-F]{8}"/, '"Group"');
        assert.ok(text.includes(typeof group === 'string' ? group : `:log-group:",${JSON.stringify(group)},":*"`), text);
      }
    });
  }

  const messages: [string, (stack: Stack) => Partial<lambda.FunctionProps>, TelemetrySettings, Record<string, unknown>][] = [
    ['no group of its own', () => ({}), {}, {}],
    ['an imported one', (stack) => ({ logGroup: logs.LogGroup.fromLogGroupName(stack, 'Group', '/mine/fn') }), {}, { TELEMETRY_LOG_GROUP: '/mine/fn' }],
    ['one of the app', (stack) => ({ logGroup: new logs.LogGroup(stack, 'Group') }), {}, { TELEMETRY_LOG_GROUP: { Ref: 'Group' } }],
    ['another, by a setting', (stack) => ({ logGroup: new logs.LogGroup(stack, 'Group') }), { logGroup: 'mine' }, { TELEMETRY_LOG_GROUP: 'mine' }],
    [
      'and its system log level',
      () => ({ loggingFormat: lambda.LoggingFormat.JSON, systemLogLevelV2: lambda.SystemLogLevel.WARN }),
      {},
      { TELEMETRY_SYSTEM_LEVEL: 'WARN' },
    ],
  ];
  for (const [name, props, settings, want] of messages) {
    it(`tells messages of the function's log group: ${name}`, () => {
      for (const given of [true, false]) {
        const stack = makeStack();
        const all = { recordFormat: RecordFormat.CLOUDWATCH, ...settings };
        makeExtension(given ? all : {}, stack).attachTo(makeFunction(stack, 'Fn', props(stack)), given ? {} : all);
        const [fn] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
        const { KINESIS_STREAM_ARN, ...variables } = fn.Properties.Environment.Variables;
        const text = JSON.stringify(variables).replace(/"Group[0-9A-F]{8}"/, '"Group"');
        assert.deepEqual(JSON.parse(text), { TELEMETRY_RECORD_FORMAT: 'cloudwatch', ...want });
      }
    });
  }

  it('leaves a log group that was given before', () => {
    const stack = makeStack();
    const extension = makeExtension({ logGroup: 'mine' }, stack);
    const fn = makeFunction(stack, 'Fn', { logGroup: new logs.LogGroup(stack, 'Group') });
    extension.attachTo(fn);
    extension.attachTo(fn, { recordFormat: RecordFormat.CLOUDWATCH });
    const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    assert.equal(Properties.Environment.Variables.TELEMETRY_LOG_GROUP, 'mine');
  });

  it('tells of the log group in messages alone', () => {
    const stack = makeStack();
    makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn', { logGroup: new logs.LogGroup(stack, 'Group') }));
    const [fn] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    assert.deepEqual(Object.keys(fn.Properties.Environment.Variables), ['KINESIS_STREAM_ARN']);
  });

  it('allows no logs to the function\'s group where they are denied', () => {
    const stack = makeStack();
    makeExtension({ denyCloudWatchLogs: true }, stack).attachTo(makeFunction(stack, 'Fn', { logGroup: new logs.LogGroup(stack, 'Group') }));
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 0);
  });

  it('works with runtimes that the layer is not listed under', () => {
    const stack = makeStack();
    const extension = makeExtension({}, stack);
    for (const runtime of ['python3.10', 'java11', 'python3.15', 'nodejs26.x']) {
      extension.attachTo(makeFunction(stack, runtime, { runtime: new lambda.Runtime(runtime), code: lambda.Code.fromAsset(__dirname) }));
    }
    assert.ok(Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).every((fn) => fn.Properties.Layers.length === 1));
  });

  it('works across stacks', () => {
    const app = makeApp();
    const extension = makeExtension({}, new Stack(app, 'Shared'));
    const stack = new Stack(app, 'Functions');
    extension.attachTo(makeFunction(stack, 'Fn'));
    const { Layers } = only(Template.fromStack(stack), 'AWS::Lambda::Function').Properties;
    assert.equal(Layers.length, 1);
    assert.match(JSON.stringify(Layers), /Shared/);
  });

  it('attaches the policy to an imported role', () => {
    const stack = makeStack();
    const role = iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/theirs');
    makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn', { role }));
    assert.deepEqual(only(Template.fromStack(stack), 'AWS::IAM::ManagedPolicy').Properties.Roles, ['theirs']);
  });

  it('warns where the role cannot be changed', () => {
    const stack = makeStack();
    const role = iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/theirs', { mutable: false });
    makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn', { role }));
    Annotations.fromStack(stack).hasWarning('/Test/Fn', Match.stringLikeRegexp('The role of this function cannot be changed'));
  });

  it('leaves a sixth layer to the CDK', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn');
    for (let i = 0; i < 5; i++) {
      fn.addLayers(lambda.LayerVersion.fromLayerVersionArn(stack, `Layer${i}`, `arn:aws:lambda:us-east-1:123456789012:layer:l:${i}`));
    }
    assert.throws(() => makeExtension({}, stack).attachTo(fn), /more than 5 layers|Unable to add layer/);
  });

  const refused: [string, (stack: Stack) => lambda.IFunction, RegExp][] = [
    ['an imported function', (stack) => lambda.Function.fromFunctionName(stack, 'Fn', 'theirs'), /only a lambda\.Function of this app/],
    ['a version', (stack) => makeFunction(stack, 'Fn').currentVersion, /attach to the function itself/],
    ['an alias', (stack) => makeFunction(stack, 'Fn').addAlias('live'), /attach to the function itself/],
    ['a container image', image, /COPY the binary to \/opt\/extensions\/kinesis-telemetry-api-extension/],
    ['Lambda@Edge', edge, /Lambda@Edge takes neither/],
    [
      'a function of another region',
      (stack) => makeFunction(new Stack(stack.node.root as never, 'Far', { env: { region: 'eu-west-1', account: '123456789012' } }), 'Fn'),
      /is for 123456789012 us-east-1/,
    ],
  ];
  for (const [name, make, message] of refused) {
    it(`refuses ${name}`, () => {
      const stack = new Stack(makeApp(), 'Test', { env: { region: 'us-east-1', account: '123456789012' } });
      const extension = makeExtension({}, stack);
      assert.throws(() => extension.attachTo(make(stack)), { name: 'ConfigurationError', message });
    });
  }

  it('refuses a second extension in a function', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn');
    makeExtension({}, stack).attachTo(fn);
    const other = makeExtension({}, new Stack(stack.node.root as never, 'Other'));
    assert.throws(() => other.attachTo(fn), /has the extension of Test\/Telemetry already/);
  });
});

describe('configure', () => {
  it('gives a container image policy and settings, and no layer', () => {
    const stack = makeStack();
    const extension = makeExtension({ flush: FlushPolicy.END }, stack);
    extension.configure(image(stack));
    const of = Template.fromStack(stack);
    assert.equal(only(of, 'AWS::Lambda::Function').Properties.Layers, undefined);
    assert.equal(variables(of).TELEMETRY_FLUSH, 'end');
    assert.equal(only(of, 'AWS::IAM::Role').Properties.ManagedPolicyArns.length, 2);
  });
});

describe('Aspect', () => {
  it('attaches to every function of a scope, also later ones, and to no other', () => {
    const app = makeApp();
    const shared = new Stack(app, 'Shared');
    const extension = makeExtension({}, shared);
    const stack = new Stack(app, 'Functions');
    makeFunction(stack, 'A');
    Aspects.of(stack).add(new AttachKinesisTelemetry(extension));
    makeFunction(new Stack(stack, 'Nested'), 'B');
    makeFunction(stack, 'C');
    const outside = new Stack(app, 'Outside');
    makeFunction(outside, 'D');
    const layers = (of: Stack) => Object.values(Template.fromStack(of).findResources('AWS::Lambda::Function')).map((fn) => fn.Properties.Layers?.length);
    assert.deepEqual(layers(stack), [1, 1]);
    assert.deepEqual(layers(stack.node.findChild('Nested') as Stack), [1]);
    assert.deepEqual(layers(outside), [undefined]);
  });

  it('takes settings, and leaves alone what is excluded or was attached by hand', () => {
    const stack = makeStack();
    const extension = makeExtension({}, stack);
    extension.attachToAll(stack, { settings: { flush: FlushPolicy.END }, exclude: (fn) => fn.node.id === 'B' });
    makeFunction(stack, 'A');
    makeFunction(stack, 'B');
    extension.attachTo(makeFunction(stack, 'C'), { flush: FlushPolicy.CONTINUOUS });
    const made = Template.fromStack(stack).findResources('AWS::Lambda::Function');
    const flush = Object.values(made).map((fn) => fn.Properties.Environment?.Variables.TELEMETRY_FLUSH);
    assert.deepEqual(flush, ['end', undefined, 'continuous']);
  });

  it('leaves excluded scopes alone with all that is in them', () => {
    const app = makeApp();
    const stack = new Stack(app, 'Test');
    const [theirs, other] = [new Construct(stack, 'Theirs'), new Stack(app, 'Other')];
    const extension = makeExtension({}, stack);
    const alone = makeFunction(stack, 'Alone');
    makeFunction(stack, 'Attached');
    makeFunction(new Construct(theirs, 'Deeper'), 'Fn');
    makeFunction(other, 'Fn');
    extension.attachToAll(app, { excludeScopes: [theirs, alone, other] });
    const made = Object.entries(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    assert.deepEqual(made.filter(([, fn]) => fn.Properties.Layers).map(([id]) => id.slice(0, -8)), ['Attached']);
    Template.fromStack(other).allResourcesProperties('AWS::Lambda::Function', { Layers: Match.absent() });
  });

  it('warns of what it cannot attach to', () => {
    const stack = new Stack(makeApp(), 'Test', { env: { region: 'us-east-1', account: '123456789012' } });
    const extension = makeExtension({}, stack);
    extension.attachToAll(stack);
    image(stack);
    edge(stack);
    new lambda.CfnFunction(stack, 'Cfn', {
      role: 'arn:aws:iam::123456789012:role/theirs',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { zipFile: 'exports.handler = async () => {};' },
    });
    const warnings = Annotations.fromStack(stack);
    warnings.hasWarning('/Test/Image', Match.stringLikeRegexp('Not attached: container images take no layers'));
    warnings.hasWarning('/Test/Edge/Fn', Match.stringLikeRegexp('Not attached: Lambda@Edge'));
    warnings.hasWarning('/Test/Cfn', Match.stringLikeRegexp('Not attached: a CfnFunction'));
    const made = Template.fromStack(stack).findResources('AWS::Lambda::Function');
    assert.ok(Object.values(made).every((fn) => fn.Properties.Layers === undefined));
  });
});

function image(stack: Stack): lambda.Function {
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'mine');
  return new lambda.DockerImageFunction(stack, 'Image', { code: lambda.DockerImageCode.fromEcr(repository) });
}

function edge(stack: Stack): lambda.Function {
  const fn = new cloudfront.experimental.EdgeFunction(stack, 'Edge', {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => {};'),
  });
  return fn.node.findChild('Fn') as lambda.Function;
}
