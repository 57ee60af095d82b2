// cdk-nag 3 needs a newer aws-cdk-lib than this package does.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DeadLetter, RecordFormat, TelemetryApiKinesisExtensionStack } from '../../lib';
import { EVERYTHING, makeAppStack, makeExtension, only, TABLE } from '../support/app';

function findings(stack: TelemetryApiKinesisExtensionStack): string[] {
  const app = stack.node.root as App;
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.map(({ ruleName, violatingResources }) => `${ruleName} ${violatingResources[0].constructPath}`);
}

function acknowledged(stack: TelemetryApiKinesisExtensionStack): string[] {
  return stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>))
    .map(([rule, reason]) => {
      assert.ok(reason.length > 20, `${rule}: ${reason}`);
      return rule.replace(/^.*AwsSolutions-(\w+).*$/, '$1');
    });
}

describe('cdk-nag 3, AwsSolutions', () => {
  it('finds nothing in the default stack, with one rule acknowledged', () => {
    const stack = makeAppStack();
    assert.deepEqual(findings(stack), []);
    assert.deepEqual(acknowledged(stack), ['IAM5']);
  });

  it('finds nothing when everything is there', () => {
    const stack = makeAppStack(EVERYTHING);
    assert.deepEqual(findings(stack), []);
    assert.deepEqual(acknowledged(stack).sort(), ['IAM5', 'IAM5', 'KDS3', 'S1']);
  });

  it('is told what the library takes, where it takes no ARN in the name of a rule', (t) => {
    const ids: string[] = [];
    const acknowledge = ({ id }: { id: string }) => {
      ids.push(id);
      assert.ok(!id.includes('::'), `Invalid validation rule ID '${id}'`); // as 2.263.0
    };
    t.mock.method(Validations, 'of', () => ({ acknowledge }));
    const stack = makeAppStack(EVERYTHING);
    assert.match(ids.join(), /AwsSolutions-KDS3.*AwsSolutions-IAM5\[Resource::/);
    const { Metadata } = only(Template.fromStack(stack), 'AWS::IAM::ManagedPolicy');
    assert.equal(Metadata.cdk_nag.rules_to_suppress.length, 2);
  });

  it('lets an app with the checks synthesize', () => {
    const stack = makeAppStack(EVERYTHING);
    const app = stack.node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
  });

  it('finds nothing in deliveries', () => {
    const stack = makeAppStack({ deliverToBucket: 'true' });
    makeExtension({ deliverToTable: TABLE, recordFormat: RecordFormat.EVENT }, stack, 'Other');
    assert.deepEqual(findings(stack), []);
  });

  it('would find something', () => {
    const stack = makeAppStack();
    new s3.Bucket(stack, 'Careless');
    assert.notDeepEqual(findings(stack), []);
  });

  it('finds nothing in what one function alone is allowed', () => {
    const stack = makeAppStack();
    const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'letters');
    stack.extension.attachTo(stack.exampleFunction!, { deadLetter: DeadLetter.bucket(bucket) });
    assert.deepEqual(findings(stack), []);
  });
});
