// Updates from one layer version to the next, with functions of other stacks, by CloudFormation's rules.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { App, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { KinesisTelemetryExtensionProps, LayerPackaging } from '../lib';
import { CloudFormation } from './support/cloudformation';
import { makeApp, makeExtension, makeFunction, only } from './support/app';
import { temporaryFolder } from './support/temporary';
import { zipFolder, ZIPS } from './support/zips';

/** Zips of one release and of the next. */
const [OLD, NEW] = [zipFolder(), zipFolder()];
ZIPS.forEach((name) => appendFileSync(join(NEW, name), 'x'));

const FLAG = '@aws-cdk/core:defaultCrossStackReferences';
const STREAM = 'arn:aws:kinesis:eu-west-1:123456789012:stream/theirs';

interface Options {
  readonly props?: KinesisTelemetryExtensionProps;
  readonly environment?: Record<string, string>;
  readonly alias?: boolean;
  readonly context?: Record<string, unknown>;
}

/** What a user's app with the extension in one stack and a function in another synthesizes, for the zips of a release. */
function synthesize(layerDirectory: string, { props, environment, alias, context }: Options = {}) {
  // Without the feature flags of this repository's cdk.json.
  const app = new App({ outdir: temporaryFolder(), context });
  const shared = new Stack(app, 'Shared');
  const functions = new Stack(app, 'Functions');
  const fn = makeFunction(functions, 'Fn', { environment });
  makeExtension({ layerDirectory, deadLetterBucket: {}, ...props }, shared).attachTo(fn);
  if (alias) {
    fn.addAlias('live');
  }
  return { Shared: Template.fromStack(shared).toJSON(), Functions: Template.fromStack(functions).toJSON(), functions, shared };
}

/** An AWS where the old release is deployed. */
function deployed(options: Options = {}) {
  const aws = new CloudFormation();
  const old = synthesize(OLD, options);
  aws.deploy('Shared', old.Shared);
  aws.deploy('Functions', old.Functions);
  return { aws, old, layer: layerOf(aws) };
}

function layerOf(aws: CloudFormation): string {
  return aws.properties('Functions', 'AWS::Lambda::Function').Layers[0];
}

describe('an update of the layer, with a function of another stack', () => {
  for (const context of [undefined, { [FLAG]: 'strong' }, { [FLAG]: 'weak' }]) {
    it(`needs no export: context ${JSON.stringify(context)}`, () => {
      const { Shared, Functions } = synthesize(OLD, { context });
      assert.equal(Shared.Outputs, undefined);
      assert.doesNotMatch(JSON.stringify(Functions), /Fn::ImportValue|Fn::GetStackOutput/);
    });
  }

  for (const alias of [false, true]) {
    it(`is deployed, the layer's stack first${alias ? ', and a new version of the function published' : ''}`, () => {
      const { aws, layer, old } = deployed({ alias });
      const next = synthesize(NEW, { alias });
      aws.deploy('Shared', next.Shared);
      assert.ok(aws.layers.has(layer), 'the old one is gone');
      aws.deploy('Functions', next.Functions);
      assert.notEqual(layerOf(aws), layer);
      const versions = [old, next].map(({ Functions }) => Object.keys(Functions.Resources).filter((id) => Functions.Resources[id].Type === 'AWS::Lambda::Version'));
      assert.deepEqual(versions.map(({ length }) => length), alias ? [1, 1] : [0, 0]);
      assert.ok(!alias || versions[0][0] !== versions[1][0]);
    });
  }

  it('is deployed, the function\'s stack first, which gets it the next time', () => {
    const { aws, layer } = deployed();
    const next = synthesize(NEW);
    aws.deploy('Functions', next.Functions);
    assert.equal(layerOf(aws), layer);
    aws.deploy('Shared', next.Shared);
    aws.deploy('Functions', next.Functions);
    assert.notEqual(layerOf(aws), layer);
  });

  it('lets the function be updated before it has the new version, and after', () => {
    const { aws, layer } = deployed();
    const next = synthesize(NEW);
    aws.deploy('Shared', next.Shared);
    aws.deploy('Functions', synthesize(OLD, { environment: { CHANGED: '1' } }).Functions);
    assert.notEqual(layerOf(aws), layer);
    aws.deploy('Functions', next.Functions);
  });

  it('lets a function that names the old version itself be updated', () => {
    const { aws, layer } = deployed();
    const theirs = (value: string) => ({ Resources: { Fn: { Type: 'AWS::Lambda::Function', Properties: { Layers: [layer], Description: value } } } });
    aws.deploy('Theirs', theirs('before'));
    aws.deploy('Shared', synthesize(NEW).Shared);
    aws.deploy('Theirs', theirs('after'));
    // Which was not so before, and is not where that is asked for.
    const { aws: other, layer: deleted } = deployed({ props: { layerRemovalPolicy: RemovalPolicy.DESTROY } });
    other.deploy('Shared', synthesize(NEW, { props: { layerRemovalPolicy: RemovalPolicy.DESTROY } }).Shared);
    assert.ok(!other.layers.has(deleted));
  });

  it('can be rolled back, by a deployment of the release before, in either order', () => {
    for (const order of [['Shared', 'Functions'], ['Functions', 'Shared', 'Functions']] as const) {
      const { aws, old } = deployed();
      const next = synthesize(NEW);
      aws.deploy('Shared', next.Shared);
      aws.deploy('Functions', next.Functions);
      const layer = layerOf(aws);
      order.forEach((stack) => aws.deploy(stack, old[stack]));
      assert.notEqual(layerOf(aws), layer);
      assert.ok(aws.layers.has(layerOf(aws)));
    }
  });

  it('leaves what is there when it fails', () => {
    const { aws, layer } = deployed();
    const next = synthesize(NEW);
    aws.deploy('Shared', next.Shared);
    next.Functions.Resources.Broken = { Type: 'AWS::Lambda::Function', Properties: { Layers: ['none'] } };
    assert.throws(() => aws.deploy('Functions', next.Functions), /Layer version none does not exist/);
    assert.equal(layerOf(aws), layer);
    assert.ok(aws.layers.has(layer));
  });

  it('may rename stream and policy, which the function\'s stack follows', () => {
    const { aws } = deployed({ props: { streamName: 'one', policyName: 'one' } });
    const next = synthesize(NEW, { props: { streamName: 'two', policyName: 'two' } });
    aws.deploy('Shared', next.Shared);
    aws.deploy('Functions', next.Functions);
    assert.match(aws.properties('Functions', 'AWS::Lambda::Function').Environment.Variables.KINESIS_STREAM_ARN, /Shared-two/);
    assert.match(aws.properties('Functions', 'AWS::IAM::Role').ManagedPolicyArns[1], /Shared-two/);
  });

  it('would be refused with an export', () => {
    const aws = new CloudFormation();
    const exporting = (Value: string) => ({ Resources: {}, Outputs: { Layer: { Value, Export: { Name: 'layer' } } } });
    aws.deploy('Shared', exporting('one'));
    aws.deploy('Functions', { Resources: { Fn: { Type: 'AWS::Lambda::Function', Properties: { Description: { 'Fn::ImportValue': 'layer' } } } } });
    assert.throws(() => aws.deploy('Shared', exporting('two')), /Cannot update export layer as it is in use by Functions/);
  });
});

describe('a function of another stack', () => {
  it('comes after the stack of the layer', () => {
    const { functions, shared } = synthesize(OLD);
    assert.deepEqual(functions.dependencies, [shared]);
  });

  it('gets the layer of its CPU', () => {
    const app = makeApp();
    const extension = makeExtension({ layerPackaging: LayerPackaging.PER_ARCHITECTURE }, new Stack(app, 'Shared'));
    const stack = new Stack(app, 'Functions');
    for (const architecture of [lambda.Architecture.X86_64, lambda.Architecture.ARM_64]) {
      extension.attachTo(makeFunction(stack, architecture.name, { architecture }));
    }
    const of = Template.fromStack(stack);
    const parameters = of.toJSON().Parameters;
    assert.deepEqual(
      Object.values(of.findResources('AWS::Lambda::Function')).map(({ Properties: p }) => [p.Architectures[0], parameters[p.Layers[0].Ref].Default.split('/').pop()]),
      [['x86_64', 'Layer-x86_64'], ['arm64', 'Layer-arm64']],
    );
  });

  it('has no parameter for what is the same everywhere', () => {
    const app = makeApp();
    const shared = new Stack(app, 'Shared');
    const stack = new Stack(app, 'Functions');
    const layerVersionArn = 'arn:aws:lambda:us-east-1:123456789012:layer:telemetry:7';
    makeExtension({ layerVersionArn, stream: kinesis.Stream.fromStreamArn(shared, 'Theirs', STREAM) }, shared).attachTo(makeFunction(stack, 'Fn'));
    Template.fromStack(shared).resourceCountIs('AWS::SSM::Parameter', 1);
    const { Layers, Environment } = only(Template.fromStack(stack), 'AWS::Lambda::Function').Properties;
    assert.deepEqual([Layers, Environment.Variables.KINESIS_STREAM_ARN], [[layerVersionArn], STREAM]);
  });

  it('may share its role with others, have it in a third stack, or from elsewhere', () => {
    const app = makeApp();
    const shared = new Stack(app, 'Shared');
    const extension = makeExtension({}, shared);
    const roles = new Stack(app, 'Roles');
    const role = new iam.Role(roles, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const stack = new Stack(app, 'Functions');
    extension.attachTo(makeFunction(stack, 'One', { role }));
    extension.attachTo(makeFunction(stack, 'Two', { role }));
    const theirs = iam.Role.fromRoleArn(stack, 'Theirs', 'arn:aws:iam::123456789012:role/theirs');
    extension.attachTo(makeFunction(stack, 'Three', { role: theirs }));
    assert.equal(only(Template.fromStack(roles), 'AWS::IAM::Role').Properties.ManagedPolicyArns.length, 1);
    assert.deepEqual(only(Template.fromStack(shared), 'AWS::IAM::ManagedPolicy').Properties.Roles, ['theirs']);
    assert.deepEqual(Template.fromStack(shared).findOutputs('*'), {});
  });

  it('may be in a nested stack, or the layer may: no parameter within one tree, and one in the outermost stack between two', () => {
    const app = makeApp();
    const outer = new Stack(app, 'Shared');
    const extension = makeExtension({}, new NestedStack(outer, 'Nested'));
    extension.attachTo(makeFunction(outer, 'Fn'));
    extension.attachTo(makeFunction(new NestedStack(outer, 'Sibling'), 'Fn'));
    const stack = new Stack(app, 'Functions');
    const nested = new NestedStack(stack, 'Nested');
    extension.attachTo(makeFunction(nested, 'Fn'));
    assert.deepEqual(Template.fromStack(outer).toJSON().Parameters?.BootstrapVersion.Type, 'AWS::SSM::Parameter::Value<String>');
    assert.equal(Object.keys(Template.fromStack(outer).toJSON().Parameters).length, 1);
    Template.fromStack(Stack.of(extension)).resourceCountIs('AWS::SSM::Parameter', 3);
    const values = Object.values<any>(Template.fromStack(stack).toJSON().Parameters).map(({ Default }) => Default.split('/').pop());
    assert.deepEqual(values.sort(), ['KINESIS_STREAM_ARN', 'Layer', 'Policy', 'version']);
    assert.deepEqual([...new Set(Object.values<any>(Template.fromStack(nested).toJSON().Parameters).map(({ Type }) => Type))], ['String']);
    assert.deepEqual(stack.dependencies, [outer]);
  });
});
