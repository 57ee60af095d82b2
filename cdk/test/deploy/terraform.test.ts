// terraform/ with Terraform or OpenTofu itself and the AWS provider, where this machine has both, against moto. The
// provider is looked for in folders that mirror it, and not downloaded: TERRAFORM_PLUGINS names another one.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GetFunctionCommand, LambdaClient, ListLayerVersionsCommand } from '@aws-sdk/client-lambda';
import { ROOT } from '../support/app';
import { snippet } from '../support/readme';
import { temporaryFolder } from '../support/temporary';
import { zip, zipFolder, ZIPS } from '../support/zips';
import { deployed, expected } from './deployed';
import { Moto, PYTHON } from './support';

const NAME = 'kinesis-telemetry-api-extension';
const MODULE = join(ROOT, 'terraform');
const TERRAFORM = [process.env.TERRAFORM, 'terraform', 'tofu'].find((name) => name !== undefined && spawnSync(name, ['version']).status === 0);

function mirror(): string | undefined {
  const usual = ['/usr/local/share/terraform/plugins', '/usr/share/terraform/plugins', join(homedir(), '.terraform.d', 'plugins')];
  const others = existsSync('/opt') ? readdirSync('/opt').map((folder) => join('/opt', folder)) : [];
  return [process.env.TERRAFORM_PLUGINS, ...usual, ...others].find((folder) =>
    folder !== undefined && existsSync(join(folder, TERRAFORM?.endsWith('tofu') ? 'registry.opentofu.org' : 'registry.terraform.io', 'hashicorp', 'aws')));
}

const PLUGINS = mirror();
const skip = TERRAFORM === undefined ? 'no Terraform or OpenTofu here' : PLUGINS === undefined ? 'no mirror of the AWS provider here' : false;

describe('the Terraform module', () => {
  it('is formatted', { skip: TERRAFORM === undefined && skip }, () => {
    const { status, stdout } = spawnSync(TERRAFORM!, ['fmt', '-check', '-diff', MODULE], { encoding: 'utf8', env: { PATH: process.env.PATH } });
    assert.deepEqual([status, stdout], [0, '']);
  });

  // Of what Terraform says more about, where it is there.
  it('refers to what it has, and has nothing that it does not refer to', () => {
    const text = ['main.tf', 'variables.tf', 'outputs.tf'].map((file) => readFileSync(join(MODULE, file), 'utf8')).join('\n');
    const program = 'import json, sys, hcl2; print(json.dumps(hcl2.load(sys.stdin)))';
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', program], { input: text, encoding: 'utf8' });
    assert.equal(stderr, '');
    const { variable, locals, data, resource } = JSON.parse(stdout);
    const bare = (name: string) => name.replaceAll('"', '');
    const named = (blocks: any[], prefix: string) => blocks.flatMap((block) =>
      Object.entries<any>(block).map(([type, one]) => `${prefix}${bare(type)}.${bare(Object.keys(one)[0])}`));
    const there = [
      ...variable.map((block: any) => `var.${bare(Object.keys(block)[0])}`),
      ...Object.keys(locals[0]).filter((name) => !name.startsWith('__')).map((name) => `local.${name}`),
      ...named(data, 'data.'),
      ...named(resource, ''),
    ];
    const meant = [...text.matchAll(/(?<![\w."])((?:data\.)?aws_\w+\.\w+|var\.\w+|local\.\w+)/g)].map(([, reference]) => reference);
    assert.deepEqual([...new Set(meant)].sort(), there.filter((one) => one !== 'aws_ssm_parameter.this').sort());
  });

  describe('deployed', { skip }, () => {
    let moto: Moto;
    const folder = temporaryFolder();
    const main = join(folder, 'main.tf');
    let role = '';
    let has = '';

    before(async () => {
      moto = await Moto.start();
      symlinkSync(join(ROOT, '..'), join(folder, NAME));
      writeFileSync(join(folder, 'app.zip'), zip('app.py', ''));
      [role] = snippet('terraform.tf').match(/^resource "aws_iam_role" [^]*?^}$/m)!;
      writeFileSync(join(folder, 'role.tf'), role);
      has = 'function_name = "orders"\nrole = aws_iam_role.orders.arn\nruntime = "python3.13"\nhandler = "app.handler"\nfilename = "app.zip"';
      writeFileSync(main, snippet('terraform-module.tf').replace('# beside what it has', `\n${has}\n`));
    });
    after(() => moto?.stop());

    const terraform = (...args: string[]): Promise<string> => {
      const env = {
        HOME: folder,
        PATH: process.env.PATH,
        CHECKPOINT_DISABLE: 'true',
        TF_IN_AUTOMATION: 'true',
        AWS_ENDPOINT_URL: moto.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_EC2_METADATA_DISABLED: 'true',
      };
      return new Promise((resolve, reject) => {
        execFile(TERRAFORM!, args, { cwd: folder, env }, (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(`terraform ${args.join(' ')}: ${stdout}${stderr}${moto.complaints()}`)));
      });
    };

    it('is valid, and makes what the CDK\'s stack makes', async () => {
      await terraform('init', '-input=false', '-no-color', `-plugin-dir=${PLUGINS}`);
      await terraform('validate', '-no-color');
      await terraform('apply', '-auto-approve', '-input=false', '-no-color');
      assert.deepEqual(await deployed(moto), expected());
      const { Configuration } = await moto.client(LambdaClient).send(new GetFunctionCommand({ FunctionName: 'orders' }));
      const { parameters } = expected();
      assert.deepEqual(Configuration?.Layers?.map(({ Arn }) => Arn), [parameters['/telemetry/kinesis/extension/arn']]);
      assert.deepEqual(Configuration?.Environment?.Variables, { KINESIS_STREAM_ARN: parameters['/telemetry/kinesis/stream/arn'] });
    });

    it('finds the functions valid that the documents show without it', async () => {
      const shown = [snippet('terraform.tf'), `${role}\n${snippet('front-terraform.tf').replace('# beside what it has', `\n${has}\n`)}`];
      for (const text of shown) {
        const other = temporaryFolder();
        writeFileSync(join(other, 'main.tf'), text);
        await terraform(`-chdir=${other}`, 'init', '-input=false', '-no-color', `-plugin-dir=${PLUGINS}`);
        await terraform(`-chdir=${other}`, 'validate', '-no-color');
      }
    });

    it('plans nothing when nothing has changed', async () => {
      await terraform('plan', '-detailed-exitcode', '-input=false', '-no-color');
    });

    it('makes a version of another zip, and keeps the last', async () => {
      const other = join(zipFolder(), ZIPS[0]);
      writeFileSync(main, readFileSync(main, 'utf8').replace('source ', `layer_zip = "${other}"\n  source `));
      await terraform('apply', '-auto-approve', '-input=false', '-no-color');
      assert.deepEqual((await deployed(moto)).parameters, expected(2).parameters);
      const { LayerVersions } = await moto.client(LambdaClient).send(new ListLayerVersionsCommand({ LayerName: NAME }));
      assert.deepEqual(LayerVersions?.map(({ Version }) => Version).sort(), [1, 2]);
    });
  });
});
