// checkAtDeploy: what is made of it, and what its two functions do. A deployment with it: deploy/check.test.ts.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { App, Aspects, CfnResource, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { FlushPolicy } from '../lib';
import { fileOfZip } from '../lib/zip';
import { LAYER_DIRECTORY, makeApp, makeAppStack, makeExtension, makeFunction, makeStack, only } from './support/app';
import { zip, zipFolder, ZIPS } from './support/zips';

const CHECK = 'Custom::KinesisTelemetryCheck';

/** The function that runs the program, and the one that answers, of the one check of a template. */
function functionsOf(of: Template): { checker: any; responder: any; checkerId: string; responderId: string } {
  const functions = of.findResources('AWS::Lambda::Function');
  const find = (name: string) => Object.keys(functions).find((id) => new RegExp(`KinesisTelemetryCheck${name}[0-9A-F]{8}$`).test(id))!;
  const [checkerId, responderId] = [find('Checker'), find('Responder')];
  return { checker: functions[checkerId].Properties, responder: functions[responderId].Properties, checkerId, responderId };
}

/** That of the check: the CDK may make one for each function. */
function logGroupOf(of: Template): [string, any] {
  return Object.entries(of.findResources('AWS::Logs::LogGroup')).find(([id]) => /KinesisTelemetryCheckLogs/.test(id))!;
}

function makeVpc(stack: Stack, id: string): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, id, {
    vpcId: `vpc-0000000${id}`,
    availabilityZones: ['a', 'b'],
    privateSubnetIds: [`subnet-0000001${id}`, `subnet-0000002${id}`],
  });
}

describe('checkAtDeploy', () => {
  it('is off by default', () => {
    const stack = makeStack();
    makeExtension({}, stack).attachTo(makeFunction(stack, 'Fn'));
    Template.fromStack(stack).resourceCountIs(CHECK, 0);
  });

  it('runs the program of the layer in the function\'s place, role and CPU, and never as an extension', () => {
    const stack = makeStack();
    const group = new ec2.CfnSecurityGroup(stack, 'Group', { groupDescription: 'x' });
    const fn = makeFunction(stack, 'Fn', {
      architecture: lambda.Architecture.ARM_64,
      vpc: makeVpc(stack, '1'),
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Imported', group.attrGroupId)],
    });
    makeExtension({ checkAtDeploy: true }, stack).attachTo(fn);
    const of = Template.fromStack(stack);
    const own = of.findResources('AWS::Lambda::Function')[stack.getLogicalId(fn.node.defaultChild as CfnResource)].Properties;
    const { checker, responder } = functionsOf(of);
    assert.equal(own.VpcConfig.SubnetIds.length, 2);
    assert.deepEqual(checker.VpcConfig, own.VpcConfig);
    assert.deepEqual(checker.Role, own.Role);
    assert.deepEqual(checker.Architectures, ['arm64']);
    assert.equal(checker.Layers, undefined);
    // From where CloudFormation can be reached.
    assert.equal(responder.VpcConfig, undefined);
    assert.equal(responder.Layers, undefined);
  });

  it('has the function\'s settings, also those that come later, and nothing else of it', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn', { environment: { PASSWORD: 'x', AWS_LAMBDA_EXEC_WRAPPER: '/opt/x', NODE_OPTIONS: '-r x', https_proxy: 'http://p:1' } });
    const extension = makeExtension({ checkAtDeploy: true, flush: FlushPolicy.END }, stack);
    extension.attachTo(fn);
    extension.attachTo(fn, { flush: FlushPolicy.CONTINUOUS });
    fn.addEnvironment('AWS_ENDPOINT_URL_KINESIS', 'https://e');
    const of = Template.fromStack(stack);
    const [stream] = Object.keys(of.findResources('AWS::Kinesis::Stream'));
    const arn = { 'Fn::GetAtt': [stream, 'Arn'] };
    assert.deepEqual(functionsOf(of).checker.Environment.Variables, {
      AWS_ENDPOINT_URL_KINESIS: 'https://e',
      KINESIS_STREAM_ARN: arn,
      TELEMETRY_FLUSH: 'continuous',
      https_proxy: 'http://p:1',
    });
    // Another stream is another check.
    assert.deepEqual(only(of, CHECK).Properties.Stream, arn);
  });

  it('may do no more than ask the one function, and is called when all is there', () => {
    const stack = makeStack();
    makeExtension({ checkAtDeploy: true }, stack).attachTo(makeFunction(stack, 'Fn', { initialPolicy: [new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] })] }));
    const of = Template.fromStack(stack);
    const { checkerId, responderId } = functionsOf(of);
    const { Properties, DependsOn } = only(of, CHECK);
    assert.deepEqual([Properties.ServiceToken, Properties.Function], [responderId, checkerId].map((id) => ({ 'Fn::GetAtt': [id, 'Arn'] })));
    assert.equal(Properties.ServiceTimeout, 240);
    assert.deepEqual(DependsOn, Object.keys(of.findResources('AWS::IAM::Policy')));
    const role: any = Object.values(of.findResources('AWS::IAM::Role')).find(({ Properties: { Policies } }) => Policies);
    assert.equal(role.Properties.ManagedPolicyArns, undefined);
    const [group] = logGroupOf(of);
    assert.deepEqual(role.Properties.Policies[0].PolicyDocument.Statement.map(({ Action, Resource }: any) => [Action, Resource]), [
      ['lambda:InvokeFunction', { 'Fn::GetAtt': [checkerId, 'Arn'] }],
      ['cloudformation:DescribeStacks', { Ref: 'AWS::StackId' }],
      [['logs:CreateLogStream', 'logs:PutLogEvents'], { 'Fn::GetAtt': [group, 'Arn'] }],
    ]);
  });

  it('makes one for all functions of a place, and another where check() asks for it', () => {
    const stack = makeStack();
    const [one, two] = ['1', '2'].map((id) => makeVpc(stack, id));
    const groups = ['a', 'b'].map((id) => ec2.SecurityGroup.fromSecurityGroupId(stack, id, `sg-0000000${id}`));
    const fns = [
      makeFunction(stack, 'A'),
      makeFunction(stack, 'B'),
      makeFunction(stack, 'C', { vpc: one, securityGroups: [groups[0]] }),
      makeFunction(stack, 'D', { vpc: one, securityGroups: [groups[0]] }),
      makeFunction(stack, 'E', { vpc: one, securityGroups: [groups[1]] }),
      makeFunction(stack, 'F', { vpc: two, securityGroups: [groups[0]] }),
    ];
    const extension = makeExtension({ checkAtDeploy: true }, stack);
    fns.forEach((fn) => extension.attachTo(fn));
    extension.check(fns[0]);
    extension.check(fns[1]);
    const checks = Object.keys(Template.fromStack(stack).findResources(CHECK)).map((id) => id[0]);
    assert.deepEqual(checks, ['A', 'B', 'C', 'E', 'F']);
  });

  it('waits for what leads out of the network, also what is made later, and for nothing else', () => {
    const stack = makeStack();
    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 1, natGateways: 1 });
    const extension = makeExtension({ checkAtDeploy: true }, stack);
    const [inside, outside] = [makeFunction(stack, 'Inside', { vpc }), makeFunction(stack, 'Outside')];
    extension.attachToAll(stack);
    vpc.addInterfaceEndpoint('Kinesis', { service: ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS });
    const of = Template.fromStack(stack);
    const waited = (fn: lambda.Function) => {
      const [, { DependsOn = [] }] = Object.entries(of.findResources(CHECK)).find(([id]) => id.startsWith(fn.node.id))!;
      return new Set([DependsOn].flat().map((id: string) => of.toJSON().Resources[id].Type));
    };
    assert.deepEqual([...waited(inside)].sort(), ['AWS::EC2::Route', 'AWS::EC2::SubnetRouteTableAssociation', 'AWS::EC2::VPCEndpoint']);
    assert.deepEqual([...waited(outside)], []);
  });

  it('can be made to wait for more', () => {
    const stack = makeStack();
    const fn = makeFunction(stack, 'Fn');
    const extension = makeExtension({}, stack);
    extension.attachTo(fn);
    const check = extension.check(fn);
    assert.equal(extension.check(fn), check);
    check.node.addDependency(new CfnResource(stack, 'Gateway', { type: 'AWS::EC2::InternetGateway' }));
    assert.deepEqual(only(Template.fromStack(stack), CHECK).DependsOn, ['Gateway']);
  });

  it('check() is for functions that are attached', () => {
    const stack = makeStack();
    assert.throws(() => makeExtension({}, stack).check(makeFunction(stack, 'Fn')), { name: 'ConfigurationError', message: 'Test/Fn: attach it first' });
  });

  it('stands for container images, too', () => {
    const stack = makeStack();
    const image = new lambda.DockerImageFunction(stack, 'Fn', { code: lambda.DockerImageCode.fromEcr(ecr.Repository.fromRepositoryName(stack, 'R', 'r')) });
    makeExtension({ checkAtDeploy: true }, stack).configure(image);
    assert.deepEqual(functionsOf(Template.fromStack(stack)).checker.Architectures, ['x86_64']);
  });

  it('is left alone by attachToAll(), which it goes with', () => {
    const stack = makeStack();
    const extension = makeExtension({ checkAtDeploy: true }, stack);
    extension.attachToAll(stack);
    makeFunction(stack, 'Fn');
    Tags.of(stack).add('team', 'x');
    const of = Template.fromStack(stack);
    of.resourceCountIs(CHECK, 1);
    const { checker, responder } = functionsOf(of);
    for (const made of [checker, responder]) {
      assert.deepEqual([made.Layers, made.Tags], [undefined, [{ Key: 'team', Value: 'x' }]]);
    }
    assert.deepEqual(Annotations.fromStack(stack).findWarning('*', Match.anyValue()), []);
  });

  it('is in the stack of the function, by no export', () => {
    const app = makeApp();
    const shared = makeExtension({ checkAtDeploy: true }, new Stack(app, 'Shared'));
    const stack = new Stack(app, 'Functions');
    shared.attachTo(makeFunction(stack, 'Fn'));
    Template.fromStack(Stack.of(shared)).resourceCountIs(CHECK, 0);
    const of = Template.fromStack(stack);
    assert.equal(typeof only(of, CHECK).Properties.Stream.Ref, 'string');
    assert.doesNotMatch(JSON.stringify(of.toJSON()), /ImportValue/);
  });

  it('is another one when what it looks at is, and the same otherwise', () => {
    const inputs = (change: (fn: lambda.Function, stack: Stack) => void = () => {}, props = {}) => {
      const stack = makeStack();
      const fn = makeFunction(stack, 'Fn');
      makeExtension({ checkAtDeploy: true, ...props }, stack).attachTo(fn);
      change(fn, stack);
      return only(Template.fromStack(stack), CHECK).Properties.Inputs;
    };
    const same = [inputs(), inputs((fn) => fn.addEnvironment('MINE', '1')), inputs(undefined, { extensionName: 'other' })];
    const others = [
      inputs((fn) => fn.addEnvironment('AWS_ENDPOINT_URL', 'https://e')),
      inputs(undefined, { flush: FlushPolicy.END }),
      inputs(undefined, { denyCloudWatchLogs: true }),
      inputs(undefined, { layerDirectory: zipFolder(ZIPS, '#!/bin/sh\n# another\n') }),
      inputs((fn) => ((fn.node.defaultChild as lambda.CfnFunction).vpcConfig = { subnetIds: ['subnet-00000001'], securityGroupIds: ['sg-00000001'] })),
    ];
    assert.equal(new Set(same).size, 1);
    assert.equal(new Set([...same, ...others]).size, 1 + others.length);
  });

  it('keeps its log as the stream is kept', () => {
    const policyOf = (props = {}) => {
      const stack = makeStack();
      makeExtension({ checkAtDeploy: true, ...props }, stack).attachTo(makeFunction(stack, 'Fn'));
      return logGroupOf(Template.fromStack(stack))[1].DeletionPolicy;
    };
    assert.deepEqual([policyOf(), policyOf({ removalPolicy: RemovalPolicy.DESTROY })], ['Retain', 'Delete']);
  });

  it('is a context key of the stack, which leaves nothing of it behind, also where the stream is given', () => {
    for (const context of [{}, { streamArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/theirs' }]) {
      const of = Template.fromStack(makeAppStack({ checkAtDeploy: 'true', ...context }));
      of.resourceCountIs(CHECK, 1);
      for (const { DeletionPolicy } of Object.values(of.findResources('AWS::Logs::LogGroup'))) {
        assert.equal(DeletionPolicy, 'Delete');
      }
    }
  });

  it('has the program of the zip, executable, beside what runs it', () => {
    const app = makeApp();
    const stack = new Stack(app, 'Test');
    makeExtension({ checkAtDeploy: true, layerDirectory: zipFolder(ZIPS, '#!/bin/sh\n# this one\n') }, stack).attachTo(makeFunction(stack, 'Fn'));
    const { checker } = functionsOf(Template.fromStack(stack));
    const folder = join((stack.node.root as App).outdir, `asset.${checker.Code.S3Key.replace('.zip', '')}`);
    const program = join(folder, 'kinesis-telemetry-api-extension');
    assert.equal(readFileSync(program, 'utf8'), '#!/bin/sh\n# this one\n');
    assert.equal(statSync(program).mode & 0o777, 0o755);
    assert.match(readFileSync(join(folder, 'index.js'), 'utf8'), /exports\.handler/);
  });

  it('says in one line that the zip lacks the program, or is missing', () => {
    const attach = (layerDirectory: string) => {
      const stack = makeStack();
      const layerVersionArn = 'arn:aws:lambda:us-east-1:123456789012:layer:l:1';
      makeExtension({ checkAtDeploy: true, layerVersionArn, layerDirectory }, stack).attachTo(makeFunction(stack, 'Fn'));
    };
    assert.throws(() => attach(zipFolder([])), { name: 'ConfigurationError', message: /-x86_64\.zip is missing: make it with \.\/build\.sh layer/ });
    attach(LAYER_DIRECTORY);
  });

  it('goes with an Aspect that comes late', () => {
    const stack = makeStack();
    const boundary = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', 'arn:aws:iam::123456789012:policy/b');
    makeExtension({ checkAtDeploy: true }, stack).attachToAll(stack);
    makeFunction(stack, 'Fn');
    iam.PermissionsBoundary.of(stack).apply(boundary);
    Aspects.of(stack).add({ visit: () => undefined });
    for (const { Properties } of Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'))) {
      assert.equal(Properties.PermissionsBoundary, 'arn:aws:iam::123456789012:policy/b');
    }
  });
});

describe('fileOfZip', () => {
  it('finds what is stored and what is deflated', () => {
    for (const deflated of [false, true]) {
      assert.equal(fileOfZip(zip('a/b', 'text'.repeat(100), deflated), 'a/b')?.toString(), 'text'.repeat(100));
    }
  });

  it('finds nothing of another name, and in what is no zip', () => {
    assert.equal(fileOfZip(zip('a/b', 'text'), 'b'), undefined);
    for (const text of ['', 'PK', 'no zip at all, but longer than the end of one']) {
      assert.equal(fileOfZip(Buffer.from(text), 'b'), undefined);
    }
  });
});
