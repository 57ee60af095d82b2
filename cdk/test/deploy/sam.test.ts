// sam/template.yaml, deployed by AWS's command line to moto. `sam` itself: see ../sam/.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { LambdaClient, ListLayersCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ROOT } from '../support/app';
import { snippet } from '../support/readme';
import { temporaryFolder } from '../support/temporary';
import { deployed, expected } from './deployed';
import { AwsCli, Moto } from './support';

describe('the SAM application', () => {
  let moto: Moto;
  let aws: AwsCli;

  before(async () => {
    [moto, aws] = await Promise.all([Moto.start(), AwsCli.start()]);
    await moto.client(S3Client).send(new CreateBucketCommand({ Bucket: 'sam-packages' }));
  });
  after(() => Promise.all([moto?.stop(), aws?.stop()]));

  const run = async (command: string): Promise<string> => {
    const env = { ...aws.environment(moto.endpoint), AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1', TMPDIR: temporaryFolder() };
    const { stdout, stderr } = await promisify(execFile)('sh', ['-ec', command], { cwd: join(ROOT, '..'), env });
    return stdout + stderr;
  };

  it('is deployed as the README says, and makes what the CDK\'s stack makes', async () => {
    await run(snippet('sam-deploy.sh').replaceAll('BUCKET', 'sam-packages'));
    assert.deepEqual(await deployed(moto), expected());
  });

  it('takes a stream that exists', async () => {
    const kinesis = moto.client(KinesisClient);
    await kinesis.send(new CreateStreamCommand({ StreamName: 'mine', StreamModeDetails: { StreamMode: 'ON_DEMAND' } }));
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'mine' }));
    const arn = StreamDescriptionSummary!.StreamARN!;
    const other = `--parameter-overrides StreamArn=${arn} PolicyName=other ParameterPrefix=/other LayerName=other --stack-name other`;
    await run(snippet('sam-deploy.sh').replaceAll('BUCKET', 'sam-packages').replace('--stack-name telemetry', other));
    assert.deepEqual((await kinesis.send(new ListStreamsCommand({}))).StreamNames!.sort(), ['mine', 'telemetry-kinesis-stream']);
    const { Parameter } = await moto.client(SSMClient).send(new GetParameterCommand({ Name: '/other/stream/arn' }));
    assert.equal(Parameter?.Value, arn);
  });

  it('keeps its layer version when it is deleted', async () => {
    await run('aws cloudformation delete-stack --stack-name telemetry');
    assert.deepEqual((await moto.client(KinesisClient).send(new ListStreamsCommand({}))).StreamNames, ['mine']);
    const { Layers } = await moto.client(LambdaClient).send(new ListLayersCommand({}));
    assert.deepEqual(Layers?.map(({ LayerName }) => LayerName).sort(), ['kinesis-telemetry-api-extension', 'other']);
  });
});
