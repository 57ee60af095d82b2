#!/usr/bin/env node
// cdk.json names this file: `npx cdk deploy` runs it.
import { App, Errors } from 'aws-cdk-lib';
import { ConfigurationError, TelemetryApiKinesisExtensionStack } from '../lib';
import { checkContextKeys } from '../lib/stack-context';

try {
  const app = new App();
  checkContextKeys(app);
  new TelemetryApiKinesisExtensionStack(app, 'TelemetryApiKinesisExtensionStack');
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigurationError || Errors.isConstructError(error))) {
    throw error;
  }
  // The user's to mend: what is wrong, and nothing of where it was found out.
  process.stderr.write(`${error.message}\n`);
  // At once, since the CDK would synthesize before the process ends.
  process.exit(1);
}
