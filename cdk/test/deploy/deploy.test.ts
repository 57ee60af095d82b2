// A deployment as users make it: the CDK CLI, against moto's server on loopback.
//
// moto_server.py says what moto lacks: the function's LoggingConfig is asserted in the template alone,
// by stack.test.ts.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CloudFormationClient, DescribeStacksCommand, Stack } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand, ListTagsForResourceCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetPolicyCommand, GetPolicyVersionCommand, IAMClient, ListAttachedRolePoliciesCommand, ListPoliciesCommand, ListRolesCommand, ListRoleTagsCommand } from '@aws-sdk/client-iam';
import { DescribeStreamSummaryCommand, KinesisClient, ListStreamsCommand, ListTagsForStreamCommand } from '@aws-sdk/client-kinesis';
import { GetFunctionCommand, GetLayerVersionCommand, LambdaClient, ListFunctionsCommand, ListLayersCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeParametersCommand, GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ROOT } from '../support/app';
import { ZIPS } from '../support/zips';
import { deployed, expected } from './deployed';
import { BUCKET, Cdk, Moto } from './support';

const NAME = 'TelemetryApiKinesisExtensionStack';
const FUNCTION = `${NAME}-temp-nodejs20-function`;
// moto would look up the value of the bootstrap stack's version as if it were the parameter's name.
const QUIETLY = ['--require-approval', 'never', '--no-previous-parameters'];
const TAGS = {
  Application: 'kinesis-telemetry-api-extension',
  CostCenter: '4711',
  Environment: 'development',
  Owner: 'telemetry',
};

// What users get, from where the stack takes it by itself: ./build.sh layer makes it.
const zip = readFileSync(join(ROOT, '..', 'layer', 'dist', ZIPS[0]));

describe('cdk bootstrap, deploy, deploy again, destroy', () => {
  let moto: Moto;
  let cdk: Cdk;

  before(async () => {
    moto = await Moto.start();
    cdk = new Cdk(moto, { CostCenter: TAGS.CostCenter });
  });
  after(() => moto?.stop());

  const stack = async (): Promise<Stack | undefined> => {
    const { Stacks } = await moto.client(CloudFormationClient).send(new DescribeStacksCommand({}));
    return Stacks?.find(({ StackName }) => StackName === NAME);
  };
  const outputs = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await stack())!.Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));

  it('bootstraps', async () => {
    await cdk.run('bootstrap', '--qualifier', 'localhost', 'aws://123456789012/us-east-1');
  });

  it('deploys by a change set', async () => {
    const said = await cdk.run('deploy', ...QUIETLY);
    assert.match(said, /creating CloudFormation changeset/);
    assert.equal((await stack())?.StackStatus, 'CREATE_COMPLETE');
    assert.deepEqual(byKey((await stack())!.Tags), TAGS);
  });

  it('has made what SAM\'s application and Terraform\'s module make', async () => {
    assert.deepEqual(await deployed(moto), expected());
  });

  it('has uploaded the zip, and published it as the layer', async () => {
    const digest = createHash('sha256').update(zip).digest('base64');
    const objects = await uploaded(moto);
    assert.ok(objects.some((object) => object.equals(zip)), 'no uploaded object is the zip');
    const [LayerName, version] = (await outputs()).LayerArn.split(':').slice(-2);
    const layer = await moto.client(LambdaClient).send(new GetLayerVersionCommand({ LayerName, VersionNumber: Number(version) }));
    assert.equal(layer.Content?.CodeSha256, digest);
    assert.equal(layer.Content?.CodeSize, zip.length);
    assert.equal(LayerName, 'kinesis-telemetry-api-extension');
    assert.equal(layer.CompatibleRuntimes?.length, 15);
    assert.deepEqual(layer.CompatibleArchitectures, ['x86_64', 'arm64']);
    assert.equal(layer.LicenseInfo, 'MIT');
  });

  it('has made the stream', async () => {
    const kinesis = moto.client(KinesisClient);
    const { StreamDescriptionSummary: stream } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'telemetry-kinesis-stream' }));
    assert.equal(stream?.StreamARN, (await outputs()).StreamArn);
    assert.equal(stream?.StreamStatus, 'ACTIVE');
    assert.equal(stream?.RetentionPeriodHours, 24);
    assert.equal(stream?.StreamModeDetails?.StreamMode, 'ON_DEMAND');
    assert.equal(stream?.EncryptionType, 'KMS');
    assert.deepEqual(byKey((await kinesis.send(new ListTagsForStreamCommand({ StreamName: stream?.StreamName }))).Tags), TAGS);
  });

  it('has made the policy, and attached it to the role of the function', async () => {
    const iam = moto.client(IAMClient);
    const { PolicyArn, StreamArn } = await outputs();
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    assert.equal(Policy?.PolicyName, 'kinesis-telemetry-api-extension-runtime');
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }));
    assert.deepEqual(JSON.parse(decodeURIComponent(PolicyVersion!.Document!)).Statement, [
      { Sid: 'PutTelemetry', Effect: 'Allow', Action: 'kinesis:PutRecords', Resource: StreamArn },
      {
        Sid: 'WriteLogs',
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/*',
      },
    ]);
    const { Configuration } = await moto.client(LambdaClient).send(new GetFunctionCommand({ FunctionName: FUNCTION }));
    const RoleName = Configuration!.Role!.split('/').pop()!;
    const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    assert.deepEqual(attached.AttachedPolicies?.map(({ PolicyArn: arn }) => arn), [PolicyArn]);
    assert.deepEqual(byKey((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags), TAGS);
  });

  it('has made the function, which has the layer and knows the stream', async () => {
    const { Configuration, Tags } = await moto.client(LambdaClient).send(new GetFunctionCommand({ FunctionName: FUNCTION }));
    assert.equal(Configuration?.Runtime, 'nodejs24.x');
    assert.deepEqual(Configuration?.Layers?.map(({ Arn }) => Arn), [(await outputs()).LayerArn]);
    assert.deepEqual(Tags, TAGS);
    assert.deepEqual(Configuration?.Environment?.Variables, { KINESIS_STREAM_ARN: (await outputs()).StreamArn });
  });

  it('has made its log group, of one day', async () => {
    const logs = moto.client(CloudWatchLogsClient);
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
    assert.deepEqual(logGroups?.map(({ logGroupName, retentionInDays }) => [logGroupName, retentionInDays]), [[`/aws/lambda/${FUNCTION}`, 1]]);
    const resourceArn = logGroups![0].arn!.replace(/:\*$/, '');
    assert.deepEqual((await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags, TAGS);
  });

  it('has set the parameters', async () => {
    const ssm = moto.client(SSMClient);
    const { LayerArn, PolicyArn, StreamArn } = await outputs();
    for (const [Name, value] of [
      ['/telemetry/kinesis/extension/arn', LayerArn],
      ['/telemetry/kinesis/runtime/policy/arn', PolicyArn],
      ['/telemetry/kinesis/stream/arn', StreamArn],
    ]) {
      assert.equal((await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value, value);
    }
  });

  it('deploys nothing when nothing has changed', async () => {
    assert.match(await cdk.run('deploy', ...QUIETLY), /no changes/);
  });

  it('updates what changed, by a change set, and keeps the stream', async () => {
    const before = await outputs();
    const said = await cdk.run('deploy', ...QUIETLY, '-c', 'retentionHours=48');
    assert.match(said, /creating CloudFormation changeset/);
    assert.equal((await stack())?.StackStatus, 'UPDATE_COMPLETE');
    assert.equal((await outputs()).StreamArn, before.StreamArn);
    const kinesis = moto.client(KinesisClient);
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'telemetry-kinesis-stream' }));
    assert.equal(StreamDescriptionSummary?.RetentionPeriodHours, 48);
  });

  it('destroys, and leaves the layer version alone, which functions elsewhere may name', async () => {
    const { LayerArn } = await outputs();
    await cdk.run('destroy', '--force');
    assert.equal(await stack(), undefined);
    assert.deepEqual((await moto.client(KinesisClient).send(new ListStreamsCommand({}))).StreamNames, []);
    assert.deepEqual((await moto.client(LambdaClient).send(new ListFunctionsCommand({}))).Functions, []);
    assert.deepEqual((await moto.client(CloudWatchLogsClient).send(new DescribeLogGroupsCommand({}))).logGroups, []);
    const { Parameters } = await moto.client(SSMClient).send(new DescribeParametersCommand({}));
    assert.deepEqual(Parameters?.map(({ Name }) => Name), ['/cdk-bootstrap/localhost/version']);
    const iam = moto.client(IAMClient);
    assert.deepEqual((await iam.send(new ListPoliciesCommand({ Scope: 'Local' }))).Policies, []);
    const { Roles } = await iam.send(new ListRolesCommand({}));
    assert.deepEqual(Roles?.filter(({ RoleName }) => !RoleName!.startsWith('cdk-localhost-')), []);
    const { Layers } = await moto.client(LambdaClient).send(new ListLayersCommand({}));
    assert.deepEqual(Layers?.map(({ LatestMatchingVersion }) => LatestMatchingVersion?.LayerVersionArn), [LayerArn]);
  });

  it('leaves nothing more where that was asked for', async () => {
    await cdk.run('deploy', ...QUIETLY, '-c', 'layerRemovalPolicy=destroy');
    const { LayerArn } = await outputs();
    await cdk.run('destroy', '--force');
    const { Layers } = await moto.client(LambdaClient).send(new ListLayersCommand({}));
    assert.ok(Layers?.every(({ LatestMatchingVersion }) => LatestMatchingVersion?.LayerVersionArn !== LayerArn));
  });
});

/** What lies in the bucket of the bootstrap stack. */
async function uploaded(moto: Moto): Promise<Buffer[]> {
  const s3 = moto.client(S3Client);
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return Promise.all(
    Contents!.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      return Buffer.from(await Body!.transformToByteArray());
    }),
  );
}

function byKey(tags: { Key?: string; Value?: string }[] = []): Record<string, string | undefined> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}
