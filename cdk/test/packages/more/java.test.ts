// By Maven, with the newest aws-cdk-lib that it finds within the range that the package asks for.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../support/app';
import { snippet } from '../../support/readme';
import { temporaryFolder } from '../../support/temporary';
import { makePackages, NAME, PACKAGES, printed, synthesized, VERSION } from '../support';

describe('the package in Java', () => {
  it('synthesizes the README\'s stack to the same template', () => {
    makePackages('java');
    assert.deepEqual(readdirSync(join(PACKAGES, 'java')).filter((name) => name.endsWith(`${VERSION}.jar`)), [`${NAME}-${VERSION}.jar`]);
    const folder = temporaryFolder();
    const libraries = join(folder, 'libraries');
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${libraries}`];
    printed('mvn', ['--batch-mode', '--quiet', ...goal], { cwd: join(PACKAGES, 'sources', 'java') });
    writeFileSync(join(folder, 'Orders.java'), snippet('Orders.java'));
    const path = ['.', join(PACKAGES, 'java', `${NAME}-${VERSION}.jar`), join(libraries, '*')].join(delimiter);
    printed('javac', ['-cp', path, 'Orders.java'], { cwd: folder });
    const { template } = synthesized('Orders', 'java', ['-cp', path, 'Orders'], folder);
    const wanted = JSON.parse(readFileSync(join(ROOT, 'test', 'snapshots', 'readme.json'), 'utf8'));
    assert.deepEqual(template, wanted);
  });
});
