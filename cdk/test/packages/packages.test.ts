// What jsii makes of the library: packages for apps that are not of this repository.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LAYER_DIRECTORY, ROOT } from '../support/app';
import { snippet } from '../support/readme';
import { temporaryFolder } from '../support/temporary';
import { ZIPS } from '../support/zips';
import { makePackages, NAME, PACKAGES, printed, PYTHON, synthesized, VERSION } from './support';

const TARBALL = join(PACKAGES, 'js', `${NAME}-${VERSION}.tgz`);
const WHEEL = `${NAME.replace(/-/g, '_')}-${VERSION}-py3-none-any.whl`;

function unpacked(tarball: string): string {
  const folder = temporaryFolder();
  printed('tar', ['xzf', tarball, '-C', folder], { cwd: folder });
  return join(folder, 'package');
}

/** An app in TypeScript with the package and the oldest aws-cdk-lib. */
function inTypeScript() {
  const folder = temporaryFolder();
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  cpSync(unpacked(TARBALL), join(modules, NAME), { recursive: true });
  for (const name of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(join(PACKAGES, 'module', 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(folder, 'cdk.ts'), snippet('cdk.ts'));
  const loader = pathToFileURL(join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  return synthesized('Orders', process.execPath, ['--import', loader, 'cdk.ts'], folder).template;
}

/** The folder of an app in Python, and where Python finds the package. */
function inPython(): { folder: string; env: { PYTHONPATH: string } } {
  const folder = temporaryFolder();
  const packages = join(folder, 'packages');
  const options = ['--quiet', '--no-deps', '--no-index', '--disable-pip-version-check', '--target', packages];
  printed(PYTHON, ['-m', 'pip', 'install', ...options, join(PACKAGES, 'python', WHEEL)], { cwd: folder });
  return { folder, env: { PYTHONPATH: packages } };
}

describe('the packages', () => {
  // Without a warning, too.
  before(() => makePackages('api', 'js', 'python', 'go'));

  it('are generated for five languages, each with the layer\'s zips', () => {
    const sources = join(PACKAGES, 'sources');
    assert.deepEqual(readdirSync(sources).sort(), ['dotnet', 'go', 'java', 'js', 'python']);
    for (const language of readdirSync(sources)) {
      const tarballs = readdirSync(join(sources, language), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.tgz'));
      assert.equal(tarballs.length, 1, language);
      const folder = unpacked(join(sources, language, tarballs[0]));
      for (const zip of ZIPS) {
        assert.deepEqual(readFileSync(join(folder, 'layer', zip)), readFileSync(join(LAYER_DIRECTORY, zip)), `${language} ${zip}`);
      }
      const files = readdirSync(folder).sort();
      assert.deepEqual(files, ['.jsii', 'LICENSE', 'README.md', 'dist', 'layer', 'package.json'], language);
      const compiled = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
      assert.deepEqual(compiled.filter((file) => !/\.(d\.ts|js)$/.test(file)), [], language);
    }
    assert.deepEqual(readdirSync(join(PACKAGES, 'go')), ['kinesistelemetry']);
  });

  it('ask for the libraries that package.json asks for', () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(unpacked(TARBALL), 'package.json'), 'utf8'));
    assert.deepEqual(peerDependencies, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).peerDependencies);
    const { env } = inPython();
    const metadata = join(env.PYTHONPATH, `${NAME.replace(/-/g, '_')}-${VERSION}.dist-info`, 'METADATA');
    assert.match(readFileSync(metadata, 'utf8'), /^Requires-Dist: aws-cdk-lib<3\.0\.0,>=2\.200\.0$/m);
  });

  it('are told of in API.md as they are', () => {
    const [now, before] = [join(PACKAGES, 'API.md'), join(ROOT, 'API.md')].map((path) => readFileSync(path, 'utf8'));
    assert.ok(now === before, 'another cdk/API.md: ./build.sh packages writes it');
  });

  it('synthesize the README\'s stack as ever in TypeScript, and to the same template in Python', () => {
    const template = inTypeScript();
    const path = join(__dirname, '..', 'snapshots', 'readme.json');
    const now = `${JSON.stringify(template, null, 2)}\n`;
    if (process.env.UPDATE_SNAPSHOTS) {
      writeFileSync(path, now);
    }
    assert.equal(now, readFileSync(path, 'utf8'), 'with UPDATE_SNAPSHOTS=1 this test takes it as the new snapshot');
    const { folder, env } = inPython();
    writeFileSync(join(folder, 'cdk.py'), snippet('cdk.py'));
    assert.deepEqual(synthesized('Orders', PYTHON, ['cdk.py'], folder, env).template, template);
  });

  it('take options, classes and enums from Python, and tell it what they refuse', () => {
    const { folder, env } = inPython();
    const { stdout, template } = synthesized('More', PYTHON, [join(__dirname, 'app.py')], folder, env);
    const functions = Object.entries<any>(template.Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function');
    const layered = functions.filter(([, { Properties }]) => Properties.Layers);
    assert.equal(functions.length, 3);
    assert.deepEqual(layered.map(([id]) => id.slice(0, -8)), ['Attached']);
    const { KINESIS_STREAM_ARN, TELEMETRY_DEAD_LETTER, ...others } = layered[0][1].Properties.Environment.Variables;
    assert.ok(KINESIS_STREAM_ARN && TELEMETRY_DEAD_LETTER);
    assert.deepEqual(others, {
      TELEMETRY_FLUSH_BUDGET_MS: '300',
      TELEMETRY_METRICS: 'emf',
      TELEMETRY_PARTITION_KEY: 'fixed:orders',
      TELEMETRY_RECORD_FORMAT: 'enriched',
      TELEMETRY_REDACT: 'password',
      TELEMETRY_TYPES: 'platform,function',
    });
    const { refused, alarm } = JSON.parse(stdout);
    assert.match(refused, /flushBudget in milliseconds: a whole number from 0 to 5400000, not 7200000/);
    assert.equal(alarm, 'RecordsDroppedAlarm');
  });
});

// No .NET is asked for, so nothing is compiled.
describe('what the README shows in C#', () => {
  it('names what was generated', () => {
    const source = snippet('Orders.cs');
    const folder = join(PACKAGES, 'sources', 'dotnet');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('/KinesisTelemetryExtension.cs'));
    const generated = readFileSync(join(folder, files[0]), 'utf8');
    assert.match(source, /using KinesisTelemetryApiExtension;[^]*new KinesisTelemetryExtension\(stack, "Telemetry"\);\ntelemetry\.AttachTo\(fn\);/);
    assert.match(generated, /namespace KinesisTelemetryApiExtension\n/);
    assert.match(generated, /public KinesisTelemetryExtension\(Constructs\.Construct scope, string id, [\w.]+\? props = null\)/);
    assert.match(generated, /void AttachTo\(Amazon\.CDK\.AWS\.Lambda\.IFunction fn, [\w.]+\? overrides = null\)/);
  });
});
