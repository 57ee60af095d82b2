import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { EVERYTHING, makeAppStack } from '../support/app';
import { temporaryFolder } from '../support/temporary';
import { PYTHON } from './support';

/** What cfn-lint says of a template, with all its warnings. */
function lint(template: object): string {
  const path = join(temporaryFolder(), 'template.json');
  writeFileSync(path, JSON.stringify(template, null, 2));
  const { status, stdout, stderr } = spawnSync(join(dirname(PYTHON), 'cfn-lint'), ['--regions', 'us-east-1', '--template', path], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.ok(status !== null);
  return stdout;
}

describe('cfn-lint', () => {
  it('says nothing of the default stack', () => {
    assert.equal(lint(Template.fromStack(makeAppStack()).toJSON()), '');
  });

  it('says nothing when everything is there', () => {
    assert.equal(lint(Template.fromStack(makeAppStack(EVERYTHING)).toJSON()), '');
  });

  it('would say something', () => {
    assert.match(lint({ Resources: { Stream: { Type: 'AWS::Kinesis::Stream', Properties: { ShardCount: 'x' } } } }), /E3012/);
  });
});
