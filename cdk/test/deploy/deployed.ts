// What the CDK's stack, SAM's application and Terraform's module make alike, as it stands in moto afterwards.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetPolicyCommand, GetPolicyVersionCommand, IAMClient, ListPoliciesCommand } from '@aws-sdk/client-iam';
import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { GetLayerVersionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeParametersCommand, GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ROOT } from '../support/app';
import { ZIPS } from '../support/zips';
import { Moto } from './support';

const NAME = 'kinesis-telemetry-api-extension';
const ACCOUNT = '123456789012';
const STREAM = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/telemetry-kinesis-stream`;
const POLICY = `arn:aws:iam::${ACCOUNT}:policy/${NAME}-runtime`;

/** What there is afterwards, in a new account with the zips of `./build.sh layer`. */
export function expected(layerVersion = 1) {
  const zip = readFileSync(join(ROOT, '..', 'layer', 'dist', ZIPS[0]));
  const layer = `arn:aws:lambda:us-east-1:${ACCOUNT}:layer:${NAME}:${layerVersion}`;
  return {
    parameters: {
      '/telemetry/kinesis/extension/arn': layer,
      '/telemetry/kinesis/runtime/policy/arn': POLICY,
      '/telemetry/kinesis/stream/arn': STREAM,
    },
    descriptions: ['layer version', 'managed policy', 'stream'].map((what) => `Kinesis telemetry extension: ARN of the ${what}`),
    stream: { StreamARN: STREAM, RetentionPeriodHours: 24, EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis', StreamMode: 'ON_DEMAND' },
    layer: { sum: createHash('sha256').update(zip).digest('base64'), architectures: ['arm64', 'x86_64'], LicenseInfo: 'MIT' },
    policies: { [`${NAME}-runtime`]: 'For functions with the Kinesis telemetry extension' },
    document: {
      Version: '2012-10-17',
      Statement: [
        { Sid: 'PutTelemetry', Effect: 'Allow', Action: 'kinesis:PutRecords', Resource: STREAM },
        {
          Sid: 'WriteLogs',
          Effect: 'Allow',
          Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
          Resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/lambda/*`,
        },
      ],
    },
  };
}

/** What there is. */
export async function deployed(moto: Moto) {
  const byPath = new GetParametersByPathCommand({ Path: '/telemetry', Recursive: true });
  const { Parameters } = await moto.client(SSMClient).send(byPath);
  const parameters = Object.fromEntries(Parameters!.map(({ Name, Value }) => [Name, Value]));
  const { StreamDescriptionSummary: stream } = await moto.client(KinesisClient).send(new DescribeStreamSummaryCommand({ StreamARN: STREAM }));
  const [LayerName, version] = parameters['/telemetry/kinesis/extension/arn']!.split(':').slice(-2);
  const layer = await moto.client(LambdaClient).send(new GetLayerVersionCommand({ LayerName, VersionNumber: Number(version) }));
  const iam = moto.client(IAMClient);
  const { Policies } = await iam.send(new ListPoliciesCommand({ Scope: 'Local' }));
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: POLICY }));
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn: POLICY, VersionId: Policy!.DefaultVersionId }));
  return {
    parameters,
    descriptions: await descriptions(moto),
    stream: {
      StreamARN: stream!.StreamARN,
      RetentionPeriodHours: stream!.RetentionPeriodHours,
      EncryptionType: stream!.EncryptionType,
      KeyId: stream!.KeyId,
      StreamMode: stream!.StreamModeDetails?.StreamMode,
    },
    layer: { sum: layer.Content?.CodeSha256, architectures: [...layer.CompatibleArchitectures!].sort(), LicenseInfo: layer.LicenseInfo },
    policies: Object.fromEntries(Policies!.map(({ PolicyName }) => [PolicyName, Policy!.Description])),
    document: JSON.parse(decodeURIComponent(PolicyVersion!.Document!)),
  };
}

async function descriptions(moto: Moto): Promise<(string | undefined)[]> {
  const { Parameters } = await moto.client(SSMClient).send(new DescribeParametersCommand({}));
  return Parameters!.filter(({ Name }) => Name!.startsWith('/telemetry/')).map(({ Description }) => Description).sort();
}
