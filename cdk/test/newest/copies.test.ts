// Two copies of aws-cdk-lib, as there are where the package is a link to a clone that has its own.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Stack } from 'aws-cdk-lib-oldest';
import * as lambda from 'aws-cdk-lib-oldest/aws-lambda';
import { AttachKinesisTelemetry } from '../../lib';
import { makeAppStack, makeExtension } from '../support/app';
import { temporaryFolder } from '../support/temporary';

const REFUSED = { name: 'ConfigurationError', message: /^Theirs[/\w]*: made by another copy of aws-cdk-lib than \/.*\/aws-cdk-lib: let app and package have the same one, / };

function theirs() {
  const stack = new Stack(new App({ outdir: temporaryFolder() }), 'Theirs');
  const fn = new lambda.Function(stack, 'Fn', {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => {};'),
  });
  return { stack: stack as never, fn: fn as never };
}

describe('an app with another copy of aws-cdk-lib', () => {
  it('cannot have the construct', () => {
    assert.throws(() => makeExtension({}, theirs().stack), REFUSED);
  });

  it('is told when one of its functions is attached', () => {
    assert.throws(() => makeAppStack().extension.attachTo(theirs().fn), REFUSED);
  });

  it('is told by the Aspect, which would find no function of theirs', () => {
    const { stack } = theirs();
    const aspect = new AttachKinesisTelemetry(makeExtension());
    assert.throws(() => (stack as Stack).node.findAll().forEach((node) => aspect.visit(node)), REFUSED);
  });
});
