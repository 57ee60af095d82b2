import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Environment, Stage } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { TelemetryApiKinesisExtensionStack, TelemetryApiKinesisExtensionStackProps } from '../lib';
import { LAYER_DIRECTORY, makeApp, makeExtension, makeStack } from './support/app';

const HERE = { account: '123456789012', region: 'us-east-1' };
const FAR = { ...HERE, region: 'eu-west-1' };
const THEIRS = { ...HERE, account: '210987654321' };

/** Two stacks of one app, the second in a stage. */
function two(env: [Environment?, Environment?], props: TelemetryApiKinesisExtensionStackProps = {}): TelemetryApiKinesisExtensionStack {
  const app = makeApp({ layerDirectory: LAYER_DIRECTORY });
  new TelemetryApiKinesisExtensionStack(app, 'One', { env: env[0] });
  return new TelemetryApiKinesisExtensionStack(new Stage(app, 'Stage'), 'Two', { env: env[1], ...props });
}

const OWN = { policyName: 'own', streamName: 'own', parameterPrefix: '/own' };

describe('names that AWS takes once', () => {
  it('policyName: once per account, whatever the region', () => {
    assert.throws(() => two([HERE, FAR]), {
      name: 'ConfigurationError',
      message:
        'policyName: kinesis-telemetry-api-extension-runtime is of One/Extension already, and a name is one per account, whatever the region: give one of them another policyName',
    });
    two([HERE, FAR], { policyName: 'own' });
    two([HERE, THEIRS]);
  });

  it('streamName, parameterPrefix: once per account and region', () => {
    assert.throws(() => two([HERE, HERE], { ...OWN, streamName: undefined }), /^ConfigurationError: streamName: .* one per account and region/);
    assert.throws(() => two([HERE, HERE], { ...OWN, parameterPrefix: undefined }), /^ConfigurationError: parameterPrefix: .* one per account and region/);
    two([HERE, HERE], OWN);
  });

  it('dashboard.name: once per account, also within a stack', () => {
    const stack = makeStack();
    makeExtension({ dashboard: { name: 'one' } }, stack);
    const again = () => makeExtension({ dashboard: { name: 'one' } }, stack, 'Again');
    assert.throws(again, /^ConfigurationError: dashboard\.name: one is of Test\/Telemetry already/);
  });

  it('warn where account or region are not known', () => {
    const stack = two([undefined, FAR], { ...OWN, policyName: undefined });
    Annotations.fromStack(stack).hasWarning('/Stage/Two/Extension', Match.stringLikeRegexp('^If both are of one account\\. policyName: '));
    assert.deepEqual(Annotations.fromStack(two([undefined, THEIRS], OWN)).findWarning('*', Match.stringLikeRegexp('one account')), []);
  });
});
