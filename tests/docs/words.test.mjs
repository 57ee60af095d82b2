/*
 * Names within documents' code, of props, members, parameters, options, are ones that a source or a file has.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read, tree } from '../tidy/tree.mjs';
import { documents } from './documents.mjs';

/* What documents name that is others', by whose it is. */
const OTHERS = {
  'AWS\'s VPCs': ['enableDnsSupport', 'enableDnsHostnames'],
  'log tools': ['kinesis_consumer', 'data_format', 'content_encoding'],
  'packages of Python': ['pyOpenSSL', 'service_identity'],
  cosign: ['--certificate-oidc-issuer', '--certificate-identity'],
  sam: ['--guided']
};

/* API.md is a tool's, of the sources. */
const SOURCE = /\.(c|h|ts|mjs|cjs|sh|py|tf|yaml|json|awk|go|rs)$|(^|\/)(API\.md|Makefile)$/;
const paths = tree();
const text = paths.filter((path) => SOURCE.test(path) && !/package-lock|^tests\/docs\//.test(path)).map(read).join('\n');
const known = new Set([...text.matchAll(/(?<![\w-])--[a-z][\w-]*|\w+/g)].map(([word]) => word));
for (const word of [...paths.join('\n').match(/\w+/g), ...Object.values(OTHERS).flat()]) {
  known.add(word);
}

/* camelCase, snake_case, and options that stand alone: those of commands are commands.test.mjs's. */
function namesIn(span) {
  const plain = span.replaceAll(/\\[a-z]/g, ' ');
  return plain.match(/(?<![\w./-])[a-z]+[A-Z]\w*|(?<=^|[ (.])[a-z]+_[a-z_]+\b|^--[a-z][\w-]+/g) ?? [];
}

/* History has names that are gone. */
for (const { path, prose } of documents().filter((one) => !/(CHANGELOG|RESULTS|CONTRIBUTING)\.md$/.test(one.path))) {
  test(`${path}: the names within its text are known`, () => {
    const wrong = prose.flatMap((one) => [...one.text.matchAll(/`([^`]+)`/g)].flatMap(([, span]) => namesIn(span))
      .filter((name) => !known.has(name)).map((name) => `${path}:${one.line}: ${name}`));
    assert.deepEqual(wrong, []);
  });
}

test('the finder itself', () => {
  assert.deepEqual(namesIn('includeCdkProviders: true'), ['includeCdkProviders']);
  assert.deepEqual(namesIn('stream_arn'), ['stream_arn']);
  assert.deepEqual(namesIn('--dry-run'), ['--dry-run']);
  assert.deepEqual(namesIn('TIME\\tREQUEST'), []);
});

test('variables that are named, in blocks too, are ones that a source has', () => {
  const wrong = documents().flatMap(({ path, text: all }) => [...all.matchAll(/\b(?:TELEMETRY|KINESIS|AWS)_[A-Z0-9_]*[A-Z0-9]\b/g)]
    .filter(([name]) => !known.has(name)).map(([name]) => `${path}: ${name}`));
  assert.deepEqual(wrong, []);
});

test('SSM parameters that are named, in blocks too, are those that are made', () => {
  const made = ['extension', 'extension/x86_64', 'extension/arm64', 'runtime/policy', 'stream'].map((name) => `/telemetry/kinesis/${name}/arn`);
  const template = read('cdk/sam/template.yaml');
  for (const name of ['extension', 'runtime/policy', 'stream']) {
    assert.ok(template.includes(`\${ParameterPrefix}/${name}/arn`), name);
  }
  const named = documents().flatMap(({ path, text: all }) => [...all.matchAll(/\/telemetry\/kinesis(\/[\w./-]*\w)/g)].map(([name]) => [path, name]));
  assert.ok(named.length > 10);
  assert.deepEqual(named.filter(([, name]) => !made.includes(name)), []);
});
