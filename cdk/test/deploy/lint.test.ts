import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { RecordFormat } from '../../lib';
import { EVERYTHING, makeApp, makeAppStack, makeExtension, makeFunction, ROOT, TABLE } from '../support/app';
import { snippet } from '../support/readme';
import { temporaryFolder } from '../support/temporary';
import { PYTHON } from './support';

/** What cfn-lint says of a template, with all its warnings. */
function lint(template: object | string): string {
  const path = join(temporaryFolder(), 'template');
  writeFileSync(path, typeof template === 'string' ? template : JSON.stringify(template, null, 2));
  const { status, stdout, stderr } = spawnSync(join(dirname(PYTHON), 'cfn-lint'), ['--regions', 'us-east-1', '--template', path], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.ok(status !== null);
  return stdout;
}

describe('cfn-lint', () => {
  it('says nothing of the default stack', () => {
    assert.equal(lint(Template.fromStack(makeAppStack()).toJSON()), '');
  });

  it('says nothing when everything is there', () => {
    assert.equal(lint(Template.fromStack(makeAppStack(EVERYTHING)).toJSON()), '');
  });

  it('says nothing of a stream that spreads records by itself', () => {
    assert.equal(lint(Template.fromStack(makeAppStack({ recordDistribution: 'AUTO' })).toJSON()), '');
  });

  it('says nothing of a function\'s stack beside that of the extension', () => {
    const app = makeApp();
    const extension = makeExtension({ deadLetterBucket: {} }, new Stack(app, 'Shared'));
    const stack = new Stack(app, 'Functions');
    extension.attachTo(makeFunction(stack, 'Fn'));
    for (const one of [Stack.of(extension), stack]) {
      const template = Template.fromStack(one).toJSON();
      // The CDK's own dependency of a function on its role says no more than the role's ARN does.
      Object.values<any>(template.Resources).forEach((resource) => resource.Type === 'AWS::Lambda::Function' && delete resource.DependsOn);
      assert.equal(lint(template), '');
    }
  });

  it('says nothing of deliveries', () => {
    const stack = makeAppStack({ deliverToBucket: 'true', exampleFunction: 'false' });
    makeExtension({ deliverToTable: TABLE, recordFormat: RecordFormat.EVENT }, stack, 'Other');
    assert.equal(lint(Template.fromStack(stack).toJSON()), '');
  });

  it('says nothing of a check in a network', () => {
    const stack = makeAppStack({ exampleFunction: 'false', checkAtDeploy: 'true' });
    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 1, natGateways: 1, restrictDefaultSecurityGroup: false });
    vpc.addInterfaceEndpoint('Kinesis', { service: ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS });
    stack.extension.attachTo(makeFunction(stack, 'Fn', { vpc }));
    const template = Template.fromStack(stack).toJSON();
    Object.values<any>(template.Resources).forEach((resource) => resource.Type === 'AWS::Lambda::Function' && delete resource.DependsOn);
    assert.equal(lint(template), '');
  });

  it('says nothing of the SAM application', () => {
    assert.equal(lint(readFileSync(join(ROOT, 'sam', 'template.yaml'), 'utf8')), '');
  });

  it('would say something', () => {
    assert.match(lint({ Resources: { Stream: { Type: 'AWS::Kinesis::Stream', Properties: { ShardCount: 'x' } } } }), /E3012/);
  });
});

/** What a Python expression makes of the text on standard input. */
function python(expression: string, input: string): any {
  const program = `import json, sys, yaml, hcl2; print(json.dumps(${expression}))`;
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', program], { input, encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

const LAYER = '/telemetry/kinesis/extension/arn';
const POLICY = '/telemetry/kinesis/runtime/policy/arn';
const STREAM = '/telemetry/kinesis/stream/arn';

describe('what the documents show of other tools', () => {
  // The front page leaves out what a function has anyway.
  const sam: [string, (text: string) => string][] = [
    ['sam.yaml', (text) => text],
    ['front-sam.yaml', (text) => `Transform: AWS::Serverless-2016-10-31\n${text}      Runtime: python3.13\n      Handler: index.handler\n      InlineCode: pass\n`],
  ];
  for (const [name, whole] of sam) it(`${name}: cfn-lint says nothing, and each deployment reads layer, policy and stream`, () => {
    const text = whole(snippet(name));
    assert.equal(lint(text), '');
    const { Parameters, Resources } = python('yaml.safe_load(sys.stdin.read().replace("!Ref ", ""))', text);
    const read = (name: string) => {
      assert.equal(Parameters[name].Type, 'AWS::SSM::Parameter::Value<String>');
      return Parameters[name].Default;
    };
    const { Layers, Policies, Environment } = Resources.Function.Properties;
    assert.deepEqual([...Layers, ...Policies, Environment.Variables.KINESIS_STREAM_ARN].map(read), [LAYER, POLICY, STREAM]);
  });

  for (const name of ['serverless.yml', 'front-serverless.yml']) it(`${name}: layer, policy and stream of the provider`, () => {
    const { provider } = python('yaml.safe_load(sys.stdin)', snippet(name));
    assert.deepEqual(
      [provider.layers, provider.iam.role.managedPolicies, provider.environment.KINESIS_STREAM_ARN],
      [[`\${ssm:${LAYER}}`], [`\${ssm:${POLICY}}`], `\${ssm:${STREAM}}`],
    );
  });

  it('Serverless Framework: layer and policy of functions with their own', () => {
    const service = python('yaml.safe_load(sys.stdin)', `${snippet('serverless.yml').replace(/^functions:[^]*/m, '')}${snippet('serverless-own.yml')}`);
    const { Resources } = service.resources;
    assert.deepEqual(Object.keys(service.functions), ['billing', 'shipping']);
    for (const fn of Object.values<any>(service.functions)) {
      // What a function has of these replaces what the provider has.
      const layers = fn.layers ?? service.provider.layers;
      const policies = fn.role === undefined ? service.provider.iam.role.managedPolicies : Resources[fn.role].Properties.ManagedPolicyArns;
      assert.ok(layers.includes(`\${ssm:${LAYER}}`));
      assert.ok(policies.includes(`\${ssm:${POLICY}}`));
    }
    assert.equal(lint(JSON.stringify({ Resources }).replace(/\$\{ssm:([^}]*)\}/g, '{{resolve:ssm:$1}}')), '');
  });

  it("Terraform: the front page's references mean what it reads, under the parameters' names", () => {
    const text = snippet('front-terraform.tf');
    const { data, resource } = python('hcl2.load(sys.stdin)', text);
    const unquoted = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll('\\"', ''));
    const { for_each: each, name } = unquoted(data)[0].aws_ssm_parameter.telemetry;
    const keys = [...each.matchAll(/[\w/]{3,}(?=[,\]])/g)].map(([key]: string[]) => key);
    assert.deepEqual(keys.map((key) => name.replace('${each.key}', key)), [LAYER, POLICY, STREAM]);
    const meant = [...text.matchAll(/data\.aws_ssm_parameter\.telemetry\["(.*?)"\]\.insecure_value/g)].map(([, key]) => key);
    assert.deepEqual(meant, ['runtime/policy', 'extension', 'stream']);
    assert.deepEqual(unquoted(resource).map((one: object) => Object.keys(one)[0]), ['aws_iam_role_policy_attachment', 'aws_lambda_function']);
  });

  it('Terraform: every reference has what it means', () => {
    const text = snippet('terraform.tf');
    const { data, resource } = python('hcl2.load(sys.stdin)', text);
    const named = (blocks: any[], prefix: string) =>
      blocks.flatMap((block) => Object.entries<any>(block).map(([type, one]) => `${prefix}${type}.${Object.keys(one)[0]}`.replaceAll('"', '')));
    const there = [...named(data, 'data.'), ...named(resource, '')];
    const meant = [...text.matchAll(/\b((?:data\.)?aws_\w+\.\w+)\.\w+/g)].map(([, reference]) => reference);
    assert.equal(meant.length, 5);
    assert.deepEqual(meant.filter((reference) => !there.includes(reference)), []);
    assert.deepEqual([LAYER, POLICY, STREAM].filter((name) => !text.includes(`"${name}"`)), []);
  });
});
