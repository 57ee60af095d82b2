import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
    assert.equal(stderr.split('\n')[0], 'context retentionHours: 24 to 8760, not 1');
  });
});

describe('cdk synth and unknown keys', () => {
  it('says in one line which key there is not', () => {
    const { status, stderr } = synth('-c', 'removalPolcy=retain');
    assert.equal(status, 1);
    assert.equal(stderr.split('\n')[0], 'context removalPolcy: no such key: is removalPolicy meant?');
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
      assert.match(String(version), /^(npm:[a-z-]+@)?\d+\.\d+\.\d+$/, name);
    }
    assert.deepEqual(Object.values<any>(lock.packages).filter(({ resolved }) => resolved !== undefined), []);
  });

  it('takes the oldest of what it says that it works with, and is tested with that', () => {
    const pinned = (name: string) => manifest.devDependencies[name].match(/\d+\.\d+\.\d+$/)[0];
    assert.deepEqual(manifest.peerDependencies, {
      'aws-cdk-lib': `^${pinned('aws-cdk-lib-oldest')}`,
      constructs: `^${pinned('constructs-oldest')}`,
    });
    const loaded = JSON.parse(readFileSync(join(dirname(require.resolve('aws-cdk-lib')), 'package.json'), 'utf8'));
    assert.equal(loaded.version, pinned(process.env.NODE_OPTIONS?.includes('oldest.cjs') ? 'aws-cdk-lib-oldest' : 'aws-cdk-lib'));
  });

  it('is packed with README and licence, and leaves nothing behind that git would see', () => {
    const top = temporaryFolder();
    const folder = join(top, 'cdk');
    for (const name of ['LICENSE', '.gitignore', 'cdk/README.md', 'cdk/lib', 'cdk/package.json', 'cdk/tsconfig.json', 'cdk/tsconfig.build.json']) {
      cpSync(join(ROOT, '..', name), join(top, name), { recursive: true });
    }
    cpSync(LAYER_DIRECTORY, join(top, 'layer', 'dist'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const env = { ...process.env, HOME: top, npm_config_cache: join(top, 'cache'), npm_config_offline: 'true', npm_config_update_notifier: 'false' };
    const inTop = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: folder, encoding: 'utf8', env });
    const packed = inTop('npm', 'pack');
    assert.equal(packed.status, 0, packed.stderr);
    const tarball = `kinesis-telemetry-api-extension-${manifest.version}.tgz`;
    const files = inTop('tar', 'tzf', tarball).stdout.trim().split('\n');
    const wanted = ['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts', ...ZIPS.map((name) => `layer/${name}`)];
    assert.deepEqual(wanted.filter((name) => !files.includes(`package/${name}`)), []);
    assert.deepEqual(files.filter((name) => !/^package\/(dist\/|layer\/|README\.md$|LICENSE$|package\.json$)/.test(name)), []);
    assert.deepEqual(readdirSync(folder).sort(), [tarball, 'README.md', 'lib', 'node_modules', 'package.json', 'tsconfig.build.json', 'tsconfig.json'].sort());
    inTop('git', 'init', '-q', top);
    for (const name of [tarball, 'LICENSE', 'layer/x', 'dist/x']) {
      assert.equal(inTop('git', 'check-ignore', '-q', '--no-index', name).status, 0, name);
    }
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
    assert.equal(typesOf(folder, tsc), '');
    const script = `
      const { App, Stack } = require('aws-cdk-lib');
      const { KinesisTelemetryExtension } = require('.');
      const stack = new Stack(new App({ outdir: 'out' }), 'Stack');
      console.log(new KinesisTelemetryExtension(stack, 'Telemetry').layers.length);`;
    const run = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
    assert.deepEqual([run.stdout, run.stderr], ['1\n', '']);
  });
});

/** What the compiler says of the declarations, with the oldest aws-cdk-lib and with the newest. */
function typesOf(folder: string, tsc: string): string {
  return ['', '-oldest'].map((suffix) => {
    const modules = join(ROOT, 'node_modules');
    const project = join(folder, 'types.json');
    writeFileSync(project, JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        skipLibCheck: false,
        typeRoots: [join(modules, '@types')],
        paths: {
          'aws-cdk-lib': [join(modules, `aws-cdk-lib${suffix}`)],
          'aws-cdk-lib/*': [join(modules, `aws-cdk-lib${suffix}`, '*')],
          constructs: [join(modules, `constructs${suffix}`)],
        },
      },
      include: ['dist'],
    }));
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
    return stdout + stderr;
  }).join('');
}
