import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/app';
import { snippet } from './support/readme';
import { temporaryFolder } from './support/temporary';

describe('what the documents show of the CDK', () => {
  // The front page's is of an app that has a stack already.
  const before: Record<string, string> = {
    'front-cdk.ts': "import { Stack } from 'aws-cdk-lib';\ndeclare const stack: Stack;\n",
  };
  for (const name of ['cdk.ts', 'cdk-by-arn.ts', 'cdk-delivery.ts', 'front-cdk.ts']) {
    it(`${name} compiles as it stands`, () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, name), (before[name] ?? '') + snippet(name));
      const project = join(folder, 'tsconfig.json');
      writeFileSync(project, JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: {
          noEmit: true,
          rootDir: '/',
          typeRoots: [join(ROOT, 'node_modules', '@types')],
          paths: { 'kinesis-telemetry-api-extension': [join(ROOT, 'lib')], '*': [join(ROOT, 'node_modules', '*')] },
        },
        include: [name],
      }));
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
      assert.equal(stdout + stderr, '');
    });
  }

  it('deploys without a terminal as the tests do', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, options] = readme.match(/npx cdk deploy (--require-approval never)/)!;
    assert.match(readFileSync(join(__dirname, 'deploy', 'deploy.test.ts'), 'utf8'), new RegExp(options.split(' ').map((word) => `'${word}'`).join(', ')));
  });
});
