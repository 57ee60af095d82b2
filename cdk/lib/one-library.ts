import { dirname } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { requireThat } from './validation';

/**
 * Refuses what another copy of aws-cdk-lib has made, as there is where this package is a link to a clone. Its classes
 * are none of ours: an Aspect would find no function, and attach nothing.
 */
export function requireOneLibrary(construct: IConstruct): void {
  requireThat(
    Stack.of(construct) instanceof Stack,
    `${construct.node.path}: made by another copy of aws-cdk-lib than ${dirname(require.resolve('aws-cdk-lib/package.json'))}: let app and package have the same one, by npm pack and npm install of the file instead of a link`,
  );
}
