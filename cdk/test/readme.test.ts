import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { makeAppStack, only, ROOT } from './support/app';
import { snippet } from './support/readme';
import { temporaryFolder } from './support/temporary';

// What a snippet leaves to its reader: the front page's is of an app that has a stack already.
const BEFORE: Record<string, string> = {
  'cdk.ts': '', 'cdk-by-arn.ts': '', 'cdk-delivery.ts': '',
  'front-cdk.ts': "import { Stack } from 'aws-cdk-lib';\ndeclare const stack: Stack;\n",
};

describe('what the documents show of the CDK', () => {
  it(`compiles as it stands: ${Object.keys(BEFORE).join(', ')}`, () => {
    const folder = temporaryFolder();
    for (const [name, before] of Object.entries(BEFORE)) {
      writeFileSync(join(folder, name), before + snippet(name));
    }
    const project = join(folder, 'tsconfig.json');
    writeFileSync(project, JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        noEmit: true,
        rootDir: '/',
        typeRoots: [join(ROOT, 'node_modules', '@types')],
        paths: { 'kinesis-telemetry-api-extension': [join(ROOT, 'lib')], '*': [join(ROOT, 'node_modules', '*')] },
      },
      include: Object.keys(BEFORE),
    }));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
    assert.equal(stdout + stderr, '');
  });

  it('attaches by the parameters: layer, policy and stream each by its own', async () => {
    const folder = temporaryFolder();
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'by-arn.ts'), `${snippet('cdk-by-arn.ts')}\nexport { stack };\n`);
    const of = Template.fromStack((await import(join(folder, 'by-arn.ts'))).stack);
    const named = ({ Ref }: { Ref: string }) => of.findParameters(Ref)[Ref].Default;
    const { Layers, Environment, Runtime } = only(of, 'AWS::Lambda::Function').Properties;
    assert.deepEqual(Layers.map(named), ['/telemetry/kinesis/extension/arn']);
    assert.deepEqual(Object.keys(Environment.Variables), ['KINESIS_STREAM_ARN']);
    assert.equal(named(Environment.Variables.KINESIS_STREAM_ARN), '/telemetry/kinesis/stream/arn');
    const { ManagedPolicyArns } = only(of, 'AWS::IAM::Role').Properties;
    assert.deepEqual(ManagedPolicyArns.filter((one: any) => one.Ref).map(named), ['/telemetry/kinesis/runtime/policy/arn']);
    assert.match(Runtime, /^python/);
  });

  it('shows the policy that is made: actions, and on what', () => {
    const of = Template.fromStack(makeAppStack());
    const made = only(of, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument.Statement;
    const { Name } = only(of, 'AWS::Kinesis::Stream').Properties;
    const parts: Record<string, string> = { 'AWS::Partition': 'aws', 'AWS::Region': 'us-east-1', 'AWS::AccountId': '123456789012' };
    const arn = (value: any): string => value['Fn::Join'] === undefined
      ? `arn:aws:kinesis:us-east-1:123456789012:stream/${Name}`
      : value['Fn::Join'][1].map((part: any) => parts[part.Ref] ?? part).join('');
    const shown = JSON.parse(snippet('role-policy.json'));
    assert.deepEqual(shown, {
      Version: '2012-10-17',
      Statement: made.map(({ Effect, Action, Resource }: any) => ({ Effect, Action: [Action].flat(), Resource: arn(Resource) })),
    });
  });

  it('deploys without a terminal as the tests do', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, options] = readme.match(/npx cdk deploy (--require-approval never)/)!;
    assert.match(readFileSync(join(__dirname, 'deploy', 'deploy.test.ts'), 'utf8'), new RegExp(options.split(' ').map((word) => `'${word}'`).join(', ')));
  });
});
