/*
 * Options and their defaults, as documents name them, are those of the programs: of the SAM application, the Terraform
 * module, layer/publish.sh and `verify`.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { BINARY } from '../e2e/support/stand.mjs';
import { read } from '../tidy/tree.mjs';
import { documents, quoted, table, tables } from './documents.mjs';

test('parameters of the SAM application', () => {
  const [, parameters] = read('cdk/sam/template.yaml').match(/^Parameters:\n([^]*?)^\w/m);
  const made = [...parameters.matchAll(/^ {2}(\w+):\n(?: {4}.*\n)*? {4}Default: (.*)/gm)].map(([, name, preset]) => [name, preset]);
  const shown = table('Parameter (`--parameter-overrides NAME=VALUE`)').map(([name, , preset]) => [quoted(name)[0], quoted(preset)[0] ?? "''"]);
  assert.deepEqual(shown, made);
});

test('variables of the Terraform module', () => {
  const made = [...read('cdk/terraform/variables.tf').matchAll(/^variable "(\w+)" \{\n(?: {2}.*\n)*? {2}default +=(.*)/gm)]
    .map(([, name, preset]) => [name, preset.match(/"(.*)"/)?.[1]]);
  const { rows } = tables().find(({ path, columns }) => path === 'cdk/README.md' && columns.join() === 'Variable,,Default');
  const shown = rows.flatMap(([named, , preset]) =>
    quoted(named).map((name, i) => [name, i === 0 ? quoted(preset)[0] : undefined]));
  assert.deepEqual(shown.map(([name]) => name), made.map(([name]) => name));
  /* The zip's is null, and then the one that is told. */
  assert.deepEqual(shown.filter(([name]) => name !== 'layer_zip'), made.filter(([name]) => name !== 'layer_zip'));
});

test('options of layer/publish.sh, those about others in their table too', () => {
  const [, usage] = read('layer/publish.sh').match(/<<'END'\n([^]*?)\nEND\n/);
  const made = [...usage.matchAll(/^ {2}(--[a-z-]+(?: [A-Z]+)?) /gm)].map(([, option]) => option).filter((option) => option !== '--help');
  const named = (column) => table('Option', column).flatMap(([options]) => quoted(options));
  assert.deepEqual(named('').sort(), made.toSorted());
  assert.deepEqual(named('Who'), ['--account ID', '--organization ID', '--public']);
});

test('options of layer/publish.sh wherever it is called', () => {
  const usage = read('layer/publish.sh');
  const called = documents().flatMap(({ text }) => [...text.matchAll(/layer\/publish\.sh ([^`\n]*)/g)].flatMap(([, words]) => words.match(/--[\w-]+/g) ?? []));
  assert.ok(called.length > 0);
  assert.deepEqual(called.filter((option) => !new RegExp(`^ {2}${option} `, 'm').test(usage)), []);
});

test('verify: where it is built, what it answers, with which status', () => {
  const script = read('layer/verify.sh');
  const [, places] = script.match(/--in is (here, container or chroot)/);
  assert.deepEqual(table('`--in`', 'Where').map(([place]) => quoted(place)[0]), places.split(/, | or /));
  const answers = read('layer/verify.py');
  const [, same, differs, unknown] = answers.match(/^SAME, DIFFERS, UNKNOWN = (\d), (\d), (\d)$/m);
  assert.deepEqual(table('Status', 'It says').map(([status, says]) => [status, ...quoted(says)]),
    [[same, 'same'], [same, 'signed'], [differs, 'differs'], ['2'], [unknown, 'cannot tell']]);
  for (const word of ['same', 'signed', 'differs', 'cannot tell']) {
    assert.match(answers, new RegExp(`f?"${word}\\b`));
  }
});

test('versions that are needed: of Node.js, and of the CDK', () => {
  const { engines, peerDependencies } = JSON.parse(read('cdk/package.json'));
  const needed = (what) => documents().filter(({ path }) => /README|OPERATING/.test(path))
    .flatMap(({ text }) => [...text.matchAll(new RegExp(`${what} ([\\d.]+) or later`, 'g'))].map(([, version]) => version));
  assert.deepEqual([...new Set(needed('Node\\.js'))], [engines.node.replace('>=', '')]);
  assert.deepEqual([...new Set(needed('aws-cdk-lib'))], [peerDependencies['aws-cdk-lib'].replace('^', '')]);
});

test('files that a build elsewhere takes are those that are pinned', () => {
  const pins = [...read('vendor/pins').matchAll(/^(?:source|binary) (\S+) (\S+) (\S+) /gm)].map(([, ...pin]) => pin);
  const rows = table('File', 'From Debian\'s').filter(([file]) => !file.includes('certificates'));
  assert.deepEqual(rows.map(([file, from]) => [quoted(from)[0], from.match(/` (\d[^\s,]*)/)[1], quoted(file)[0]]), pins);
});

test('the size that the front page has is that of the program', () => {
  const [, size] = read('README.md').match(/program of (0\.\d\d) MB/);
  assert.ok(Math.abs(statSync(BINARY).size / 1e6 - size) < 0.02);
});
