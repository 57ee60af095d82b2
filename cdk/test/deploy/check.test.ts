// A deployment with checkAtDeploy, and with what AWS shall deliver: the CDK CLI against moto's server, which
// runs the functions behind the check (moto_functions.py). In place of the program there is one that says what
// the real one says.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetRolePolicyCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { GetFunctionCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ZIPS, zipFolder } from '../support/zips';
import { BUCKET, Cdk, Moto } from './support';

const NAME = 'TelemetryApiKinesisExtensionStack';
const QUIETLY = ['--require-approval', 'never', '--no-previous-parameters'];

/** A layer whose program says this. */
const saying = (...lines: string[]) => `layerDirectory=${zipFolder(ZIPS, ['#!/bin/sh', '[ "$*" = "--check --json" ] || exit 2', ...lines, ''].join('\n'))}`;
const WELL = saying(
  `printf '{"step":"name","status":"ok","ms":1.2,"message":"%s"}\\n' "$KINESIS_STREAM_ARN"`,
  `echo '{"step":"result","status":"ok"}'`,
);
const DENIED = saying(
  `echo '{"step":"tls","status":"ok","ms":9.1,"message":"TLS 1.2"}'`,
  `echo '{"step":"permission","status":"failed","ms":3.4,"message":"kinesis:PutRecords is denied","remedy":"attach the managed policy"}'`,
  `echo '{"step":"result","status":"failed"}'`,
  'exit 1',
);

describe('cdk deploy with checkAtDeploy', () => {
  let moto: Moto;
  let cdk: Cdk;

  before(async () => {
    moto = await Moto.start();
    cdk = new Cdk(moto, { checkAtDeploy: 'true', deliverToBucket: 'true', recordDistribution: 'AUTO' });
    await cdk.run('bootstrap', '--qualifier', 'localhost', '-c', WELL, 'aws://123456789012/us-east-1');
  });
  after(() => moto?.stop());

  const logged = async (): Promise<string[]> => {
    const logs = moto.client(CloudWatchLogsClient);
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
    const groups = logGroups!.filter(({ logGroupName }) => /^\/aws\/lambda\/.*Responder/.test(logGroupName!));
    const found = await Promise.all(groups.map(({ logGroupName }) => logs.send(new FilterLogEventsCommand({ logGroupName }))));
    return found.flatMap(({ events }) => events!.map(({ message }) => message!));
  };
  const summary = async () =>
    (await moto.client(KinesisClient).send(new DescribeStreamSummaryCommand({ StreamName: 'telemetry-kinesis-stream' }))).StreamDescriptionSummary!;

  it('deploys when all is well, with what the program said in the log', async () => {
    await cdk.run('deploy', ...QUIETLY, '-c', WELL);
    const { Stacks } = await moto.client(CloudFormationClient).send(new DescribeStacksCommand({ StackName: NAME }));
    assert.equal(Stacks![0].StackStatus, 'CREATE_COMPLETE');
    const lines = (await logged()).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ step, status }) => [step, status]), [['name', 'ok'], ['result', 'ok']]);
    assert.equal(lines[0].message, (await summary()).StreamARN);
  });

  it('has given the checking function the role of the function, and no layer', async () => {
    const lambda = moto.client(LambdaClient);
    const { Functions } = await lambda.send(new ListFunctionsCommand({}));
    const checker = Functions!.find(({ Description }) => /would be delivered/.test(Description!))!;
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: `${NAME}-temp-nodejs20-function` }));
    assert.equal(checker.Role, Configuration!.Role);
    assert.deepEqual(checker.Layers ?? [], []);
    assert.deepEqual(checker.Environment?.Variables, Configuration!.Environment!.Variables);
    assert.equal(checker.Environment?.Variables?.TELEMETRY_PARTITION_KEY, 'none');
  });

  it('has made what AWS needs to deliver: a customer key, a bucket, a role', async () => {
    const { EncryptionType, KeyId } = await summary();
    assert.equal(EncryptionType, 'KMS');
    assert.match(KeyId ?? '', /^arn:aws:kms:/);
    const { Buckets } = await moto.client(S3Client).send(new ListBucketsCommand({}));
    assert.equal(Buckets!.filter(({ Name }) => Name !== BUCKET).length, 1);
    const iam = moto.client(IAMClient);
    const { Roles } = await iam.send(new ListRolesCommand({}));
    const role = Roles!.find(({ AssumeRolePolicyDocument }) => /kinesis\.amazonaws\.com/.test(decodeURIComponent(AssumeRolePolicyDocument!)))!;
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: role.RoleName, PolicyName: 'Deliver' }));
    assert.match(decodeURIComponent(PolicyDocument!), /['"]s3:PutObject['"]/);
  });

  it('checks nothing when nothing has changed', async () => {
    const before = await logged();
    assert.match(await cdk.run('deploy', ...QUIETLY, '-c', WELL), /no changes/);
    assert.deepEqual(await logged(), before);
  });

  it('fails when something is wrong, and says what, with the remedy', async () => {
    await assert.rejects(cdk.run('deploy', ...QUIETLY, '-c', DENIED), /permission: kinesis:PutRecords is denied\. attach the managed policy/);
    assert.ok((await logged()).some((line) => line.includes('"step":"tls"')));
  });

  it('destroys whatever the program says', async () => {
    await cdk.run('destroy', '--force', '-c', DENIED);
    const { Stacks } = await moto.client(CloudFormationClient).send(new DescribeStacksCommand({}));
    assert.equal(Stacks!.find(({ StackName }) => StackName === NAME), undefined);
    assert.deepEqual((await moto.client(LambdaClient).send(new ListFunctionsCommand({}))).Functions, []);
  });
});
