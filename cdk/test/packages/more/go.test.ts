// With the newest aws-cdk-lib that Go finds.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../support/app';
import { snippet } from '../../support/readme';
import { temporaryFolder } from '../../support/temporary';
import { makePackages, PACKAGES, printed, synthesized } from '../support';

/** Go tells on standard error what it brings. */
function go(folder: string, ...args: string[]): void {
  printed('sh', ['-c', 'go "$@" 2>log || { cat log; exit 1; }', 'go', ...args], { cwd: folder });
}

describe('the package in Go', () => {
  it('synthesizes the README\'s stack to the same template', () => {
    makePackages('go');
    const folder = temporaryFolder();
    const source = snippet('orders.go');
    const [, module] = /"(example\.com\/.*)"/.exec(source)!;
    writeFileSync(join(folder, 'orders.go'), source);
    go(folder, 'mod', 'init', 'orders');
    go(folder, 'mod', 'edit', `-replace=${module}=${join(PACKAGES, 'go', 'kinesistelemetry')}`);
    go(folder, 'mod', 'tidy');
    go(folder, 'vet', '.');
    go(folder, 'build', '-o', 'orders', '.');
    const { template } = synthesized('Orders', './orders', [], folder);
    assert.deepEqual(template, JSON.parse(readFileSync(join(ROOT, 'test', 'snapshots', 'readme.json'), 'utf8')));
  });
});
