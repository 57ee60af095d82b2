// cdk-nag 2, which works with every aws-cdk-lib and knows nothing of its acknowledgements.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Aspects, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag-2';
import { DeadLetter, RecordFormat } from '../lib';
import { EVERYTHING, makeAppStack, makeExtension, TABLE } from './support/app';

// Findings are annotations, which the newest aws-cdk-lib would make an error of when it synthesizes.
function makeStack(context: Record<string, unknown> = {}) {
  return makeAppStack({ '@aws-cdk/core:annotationsInValidationReport': false, ...context });
}

function findings(stack: Stack): string[] {
  const app = stack.node.root as App;
  Aspects.of(app).add(new AwsSolutionsChecks({ reports: false }));
  const said = Annotations.fromStack(stack);
  const ofNag = Match.stringLikeRegexp('^(AwsSolutions|CdkNag)');
  return [...said.findError('*', ofNag), ...said.findWarning('*', ofNag)].map(({ id, entry }) => `${id} ${entry.data}`);
}

describe('cdk-nag 2, AwsSolutions', () => {
  it('finds nothing in the default stack', () => {
    assert.deepEqual(findings(makeStack()), []);
  });

  it('finds nothing when everything is there', () => {
    assert.deepEqual(findings(makeStack(EVERYTHING)), []);
  });

  for (const flag of [false, true]) {
    it(`finds nothing in what one function alone is allowed, createNewPoliciesWithAddToRolePolicy: ${flag}`, () => {
      const stack = makeStack({ '@aws-cdk/aws-lambda:createNewPoliciesWithAddToRolePolicy': flag });
      const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'letters');
      stack.extension.attachTo(stack.exampleFunction!, { deadLetter: DeadLetter.bucket(bucket) });
      assert.deepEqual(findings(stack), []);
    });
  }

  it('finds nothing in deliveries', () => {
    const stack = makeStack({ deliverToBucket: 'true' });
    makeExtension({ deliverToTable: TABLE, recordFormat: RecordFormat.EVENT }, stack, 'Other');
    assert.deepEqual(findings(stack), []);
  });

  it('would find something', () => {
    const stack = makeStack();
    new s3.Bucket(stack, 'Careless');
    assert.match(findings(stack).join('\n'), /Careless.*AwsSolutions-S1/);
  });
});
