// sam/template.yaml with `sam`, by ./build.sh test sam, and no part of the others: it takes minutes to install.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { deployed, expected } from '../deploy/deployed';
import { Moto } from '../deploy/support';
import { ROOT } from '../support/app';
import { snippet } from '../support/readme';
import { temporaryFolder } from '../support/temporary';

const SAM = process.env.SAM_CLI ?? join(ROOT, '..', 'build', 'sam-python', 'bin', 'sam');

describe('sam', () => {
  let moto: Moto;
  before(async () => {
    moto = await Moto.start();
  });
  after(() => moto?.stop());

  const run = async (command: string): Promise<string> => {
    const env = {
      HOME: temporaryFolder(),
      PATH: `${dirname(SAM)}:${process.env.PATH}`,
      SAM_CLI_TELEMETRY: '0',
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const { stdout, stderr } = await promisify(execFile)('sh', ['-ec', command], { cwd: join(ROOT, '..'), env });
    return stdout + stderr;
  };

  it('finds the application valid, and its linter nothing', async () => {
    assert.match(await run('sam validate --lint --template cdk/sam/template.yaml'), /is a valid SAM Template\s*$/);
  });

  it('deploys it as the README says, and makes what the CDK\'s stack makes', async () => {
    // moto finds a bucket whose name has this; that of --resolve-s3 has not.
    const Bucket = 'sam-localhost';
    await moto.client(S3Client).send(new CreateBucketCommand({ Bucket }));
    const command = snippet('sam-cli.sh').replace('--resolve-s3', `--s3-bucket ${Bucket}`);
    assert.ok(command.includes(Bucket));
    await run(command);
    assert.deepEqual(await deployed(moto), expected());
  });
});
