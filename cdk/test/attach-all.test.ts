import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { App, Aspects, CustomResource, CustomResourceProvider, CustomResourceProviderRuntime, RemovalPolicy, Stack, Stage } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as deployment from 'aws-cdk-lib/aws-s3-deployment';
import * as s3n from 'aws-cdk-lib/aws-s3-notifications';
import * as cr from 'aws-cdk-lib/custom-resources';
import * as triggers from 'aws-cdk-lib/triggers';
import { AttachKinesisTelemetry } from '../lib';
import { makeApp, makeExtension, makeFunction, makeStack } from './support/app';
import { temporaryFolder } from './support/temporary';

const LAYER = /kinesis-telemetry|TelemetryLayer|kinesistelemetryapiextension\w*Layer/; // the last one by its parameter

/** The functions of a stack, and of those nested in it, that have the extension's layer, by their ids. */
function attached(stack: Stack): string[] {
  const stacks = stack.node.findAll().filter(Stack.isStack);
  const functions = stacks.flatMap((one) => Object.entries(Template.fromStack(one).findResources('AWS::Lambda::Function')));
  return functions.filter(([, { Properties }]) => LAYER.test(JSON.stringify(Properties.Layers ?? []))).map(([id]) => id.slice(0, -8));
}

/** What the app warns of in the stack's part, by path. */
function warnings(app: App, stack: Stack): string[] {
  const assembly = app.synth();
  const artifacts = [...assembly.stacks, ...assembly.nestedAssemblies.flatMap(({ nestedAssembly }) => nestedAssembly.stacks)];
  const { messages } = artifacts.find(({ hierarchicalId }) => hierarchicalId === stack.node.path)!;
  return messages.filter(({ level }) => level === 'warning').map(({ id, entry }) => `${id}: ${entry.data}`);
}

describe('attachToAll and stages', () => {
  it('attaches in the extension\'s own stage, whatever is asked for above it', () => {
    const app = makeApp();
    const prod = new Stage(app, 'Prod');
    const extension = makeExtension({}, new Stack(prod, 'Shared'));
    extension.attachToAll(app);
    const stack = new Stack(prod, 'Functions');
    makeFunction(stack, 'Fn');
    assert.deepEqual(attached(stack), ['Fn']);
  });

  it('names functions of other stages, which it cannot attach, once for each call', () => {
    const app = makeApp();
    const shared = new Stack(app, 'Shared');
    const extension = makeExtension({}, shared);
    extension.attachToAll(app, { exclude: (fn) => fn.node.id === 'Left' });
    const stack = new Stack(new Stage(app, 'Prod'), 'Functions');
    ['A', 'B', 'Left'].forEach((id) => makeFunction(stack, id));
    const said = warnings(app, shared);
    assert.equal(said.length, 1);
    assert.match(said[0], /^\/Shared\/Telemetry: Not attached: Prod\/Functions\/A, Prod\/Functions\/B: in another stage, and functions need a KinesisTelemetryExtension in their own stage/);
  });

  it('names those beside its own stage and above it', () => {
    const app = makeApp();
    const prod = new Stage(app, 'Prod');
    const shared = new Stack(prod, 'Shared');
    makeExtension({}, shared).attachToAll(app);
    makeFunction(new Stack(app, 'Above'), 'A');
    makeFunction(new Stack(new Stage(app, 'Test'), 'Beside'), 'B');
    assert.match(warnings(app, shared).join('\n'), /^\/Prod\/Shared\/Telemetry: Not attached: Above\/A, Test\/Beside\/B: in another stage/);
  });

  it('warns of each function of a scope in another stage', () => {
    const app = makeApp();
    const extension = makeExtension({}, new Stack(app, 'Shared'));
    const prod = new Stage(app, 'Prod');
    const stack = new Stack(prod, 'Functions');
    makeFunction(stack, 'Fn');
    extension.attachToAll(prod);
    assert.match(warnings(app, stack).join('\n'), /^\/Prod\/Functions\/Fn: Not attached: Shared\/Telemetry lies in another stage/);
  });

  it('refuses an Aspect that would never come to the extension\'s stage', () => {
    const app = makeApp();
    const extension = makeExtension({}, new Stack(new Stage(app, 'Prod'), 'Shared'));
    Aspects.of(app).add(new AttachKinesisTelemetry(extension));
    assert.throws(() => app.synth(), { name: 'ConfigurationError', message: /does not carry an Aspect into a stage: use attachToAll\(\), or Aspects\.of\(\) on Prod$/ });
  });

  it('refuses a function of another stage by hand', () => {
    const app = makeApp();
    const extension = makeExtension({}, new Stack(app, 'Shared'));
    const fn = makeFunction(new Stack(new Stage(app, 'Prod'), 'Functions'), 'Fn');
    assert.throws(() => extension.attachTo(fn), { name: 'ConfigurationError', message: /^Prod\/Functions\/Fn: Shared\/Telemetry lies in another stage/ });
  });
});

describe('attachToAll leaves alone, with a warning', () => {
  const withLayers = (stack: Stack, count: number) => {
    const fn = makeFunction(stack, `Fn${count}`);
    for (let i = 0; i < count; i++) {
      fn.addLayers(lambda.LayerVersion.fromLayerVersionArn(stack, `Layer${count}${i}`, `arn:aws:lambda:us-east-1:123456789012:layer:l:${i}`));
    }
    return fn;
  };

  it('a function with five layers, and attaches one with four, again and again', () => {
    const stack = makeStack();
    const extension = makeExtension({}, stack);
    extension.attachToAll(stack);
    extension.attachToAll(stack.node.root);
    withLayers(stack, 5);
    const four = withLayers(stack, 4);
    extension.attachTo(four);
    extension.attachTo(four);
    assert.deepEqual(attached(stack), ['Fn4']);
    Annotations.fromStack(stack).hasWarning('/Test/Fn5', Match.stringLikeRegexp('Not attached: a function cannot have more than 5 layers'));
  });

  it('a function with another construct\'s extension', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn');
    makeExtension({}, stack).attachTo(fn);
    makeExtension({}, new Stack(stack.node.root as App, 'Other')).attachToAll(stack);
    assert.deepEqual(attached(stack), ['Fn']);
    Annotations.fromStack(stack).hasWarning('/Test/Fn', Match.stringLikeRegexp('Not attached: has the extension of Test/Telemetry already'));
  });
});

describe('attachToAll and the CDK\'s own functions', () => {
  const code = temporaryFolder();
  writeFileSync(join(code, 'index.js'), 'exports.handler = async () => {};');
  const user = (stack: Stack, id = 'Mine') => makeFunction(stack, id);
  const bucket = (stack: Stack) => new s3.Bucket(stack, 'Bucket', { removalPolicy: RemovalPolicy.DESTROY });

  /** What makes functions, and those among them that are the user's. */
  const MADE: [string, (stack: Stack) => void, string[]][] = [
    ['log retention', (stack) => makeFunction(stack, 'Mine', { logRetention: 1 }), ['Mine']],
    ['emptying of a bucket', (stack) => new s3.Bucket(stack, 'Bucket', { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }), []],
    ['notifications', (stack) => bucket(stack).addEventNotification(s3.EventType.OBJECT_CREATED, new s3n.LambdaDestination(user(stack))), ['Mine']],
    ['BucketDeployment', (stack) => new deployment.BucketDeployment(stack, 'D', { sources: [deployment.Source.data('a', 'b')], destinationBucket: bucket(stack) }), []],
    [
      'AwsCustomResource',
      (stack) =>
        new cr.AwsCustomResource(stack, 'C', {
          onCreate: { service: 's3', action: 'listBuckets', physicalResourceId: cr.PhysicalResourceId.of('x') },
          policy: cr.AwsCustomResourcePolicy.fromSdkCalls({ resources: ['*'] }),
        }),
      [],
    ],
    [
      'Provider framework',
      (stack) => new cr.Provider(stack, 'P', { onEventHandler: user(stack, 'OnEvent'), isCompleteHandler: user(stack, 'IsComplete') }),
      ['IsComplete', 'OnEvent'],
    ],
    ['global table', (stack) => new dynamodb.Table(stack, 'T', { partitionKey: { name: 'a', type: dynamodb.AttributeType.STRING }, replicationRegions: ['us-east-2'] }), []],
    ['default security group', (stack) => new ec2.Vpc(stack, 'V', { restrictDefaultSecurityGroup: true }), []],
    [
      'draining of an ECS cluster',
      (stack) => {
        const vpc = new ec2.Vpc(stack, 'V', { restrictDefaultSecurityGroup: false });
        new ecs.Cluster(stack, 'C', { vpc }).addCapacity('A', { instanceType: new ec2.InstanceType('t3.micro') });
      },
      [],
    ],
    [
      'trigger',
      (stack) => new triggers.TriggerFunction(stack, 'Mine', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) }),
      ['Mine'],
    ],
    [
      'singleton of the user',
      (stack) => new lambda.SingletonFunction(stack, 'S', { uuid: 'mine', runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) }),
      ['SingletonLambdamine'],
    ],
    [
      'CustomResourceProvider',
      (stack) =>
        new CustomResource(stack, 'X', {
          serviceToken: CustomResourceProvider.getOrCreate(stack, 'Custom::X', { codeDirectory: code, runtime: CustomResourceProviderRuntime.NODEJS_22_X }),
        }),
      [],
    ],
  ];
  const env = { region: 'us-east-1', account: '123456789012' };
  for (const [name, make, users] of MADE) {
    it(`${name}: leaves the CDK's alone, without a word`, () => {
      const app = makeApp();
      const stack = new Stack(app, 'Test', { env });
      makeExtension({}, stack).attachToAll(app);
      make(stack);
      assert.deepEqual(attached(stack).sort(), users);
      assert.deepEqual(warnings(app, stack).filter((text) => /Not attached/.test(text)), []);
    });

    it(`${name}: includes the CDK's when asked to, or says why not`, () => {
      const app = makeApp();
      const stack = new Stack(app, 'Test', { env });
      makeExtension({}, stack).attachToAll(app, { includeCdkProviders: true });
      make(stack);
      const all = stack.node.findAll().filter((node) => (node as lambda.CfnFunction).cfnResourceType === 'AWS::Lambda::Function');
      const said = warnings(app, stack).filter((text) => /Not attached: a function of the CDK that is no lambda\.Function/.test(text));
      assert.equal(attached(stack).length + said.length, all.length);
    });
  }
});
