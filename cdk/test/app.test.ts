import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAYER_DIRECTORY, ROOT } from './support/app';
import { temporaryFolder } from './support/temporary';
import { ZIPS, zipFolder } from './support/zips';

/** `cdk synth` as a user without credentials, without a network: every AWS endpoint is a closed port. */
function synth(...args: string[]) {
  const folder = temporaryFolder();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name)));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'), 'synth', '--no-notices', '--no-color', '--output', join(folder, 'cdk.out'), ...args],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...env,
        HOME: folder,
        NODE_NO_WARNINGS: '1',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        HTTPS_PROXY: 'http://127.0.0.1:1',
        CDK_DISABLE_VERSION_CHECK: 'true',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
    },
  );
  return { status, stdout, stderr, out: join(folder, 'cdk.out') };
}

describe('cdk synth', () => {
  it('needs neither credentials nor a network, and gives the same again', () => {
    const [one, two] = [1, 2].map(() => synth('-q', '-c', `layerDirectory=${LAYER_DIRECTORY}`));
    assert.deepEqual([one.status, one.stderr], [0, '']);
    for (const name of readdirSync(one.out).filter((file) => /template\.json$|assets\.json$|\.zip$/.test(file))) {
      assert.deepEqual(readFileSync(join(one.out, name)), readFileSync(join(two.out, name)), name);
    }
    const zip = readdirSync(one.out).find((name) => name.endsWith('.zip'))!;
    assert.deepEqual(readFileSync(join(one.out, zip)), readFileSync(join(LAYER_DIRECTORY, ZIPS[0])));
  });

  it('says in one line what a missing zip wants', () => {
    const { status, stdout, stderr } = synth('-c', `layerDirectory=${zipFolder([])}`);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    const [ours, ...cli] = stderr.trim().split('\n');
    assert.match(ours, /kinesis-telemetry-api-extension\.zip is missing: make it with \.\/build\.sh layer/);
    // The CLI says that the app ended, and no more.
    assert.deepEqual(cli.map((line) => line.replace(/.*(?=Subprocess)/, '')), ['Subprocess exited with error 1']);
  });

  it('says in one line what a wrong value wants', () => {
    const { status, stderr } = synth('-c', 'retentionHours=1');
    assert.equal(status, 1);
    assert.equal(stderr.split('\n')[0], 'retentionPeriod: 24 to 8760 whole hours, not 1');
  });
});

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

  it('has the program\'s version', () => {
    assert.equal(manifest.version, readFileSync(join(ROOT, '..', 'src', 'VERSION'), 'utf8').trim());
  });

  it('pins what it is tested with, and names no registry', () => {
    for (const [name, version] of Object.entries(manifest.devDependencies)) {
      assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
    }
    assert.deepEqual(Object.values<any>(lock.packages).filter(({ resolved }) => resolved !== undefined), []);
  });

  it('works as published: compiled, with its zips', () => {
    const folder = temporaryFolder();
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const built = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')], { encoding: 'utf8' });
    assert.equal(built.stdout + built.stderr, '');
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    cpSync(LAYER_DIRECTORY, join(folder, 'layer'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    assert.ok(existsSync(join(folder, manifest.types)));
    const script = `
      const { App, Stack } = require('aws-cdk-lib');
      const { KinesisTelemetryExtension } = require('.');
      const stack = new Stack(new App({ outdir: 'out' }), 'Stack');
      console.log(new KinesisTelemetryExtension(stack, 'Telemetry').layers.length);`;
    const run = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
    assert.deepEqual([run.stdout, run.stderr], ['1\n', '']);
  });
});
