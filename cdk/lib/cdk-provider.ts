import { dirname, sep } from 'node:path';
import { AssetStaging, CfnResource, CustomResourceProviderBase } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';

/** The folder of aws-cdk-lib, by whatever name a package manager has it. */
const CDK = dirname(require.resolve('aws-cdk-lib/package.json'));

/**
 * Whether a function is one that the CDK adds to a stack by itself, for custom resources mostly: log
 * retention, emptying of buckets, BucketDeployment, AwsCustomResource, the Provider framework. The code
 * of such a function comes with the CDK; the handlers that are given to a Provider are the user's.
 */
export function isCdkProvider(fn: lambda.Function): boolean {
  const staged = fn.node.tryFindChild('Code')?.node.tryFindChild('Stage');
  if (staged instanceof AssetStaging) {
    return staged.sourcePath.startsWith(CDK + sep) || /[\\/]node_modules[\\/]@aws-cdk[\\/]/.test(staged.sourcePath);
  }
  // The one whose code is inline, and so without a path.
  return fn.node.scope?.constructor.name === 'InstanceDrainHook';
}

/** Whether a resource is such a function without being a lambda.Function: nothing can be attached to it. */
export function isBareCdkProvider(node: IConstruct): boolean {
  return (
    CfnResource.isCfnResource(node) &&
    node.cfnResourceType === lambda.CfnFunction.CFN_RESOURCE_TYPE_NAME &&
    !(node instanceof lambda.CfnFunction) &&
    (node.node.scope instanceof CustomResourceProviderBase ||
      /^(LogRetentionFunction|NotificationsResourceHandler|InLineLambda)$/.test(Object(node.node.scope).constructor.name))
  );
}
