import { RemovalPolicy, StackProps } from 'aws-cdk-lib';
import { KinesisTelemetryExtensionProps } from './kinesis-telemetry-extension';

/**
 * Props of `TelemetryApiKinesisExtensionStack`: those of a stack, those of the construct, and
 * these. What is left out is taken from the CDK context, where it has the same name; see
 * `stack-context.ts`.
 */
export interface TelemetryApiKinesisExtensionStackProps extends StackProps, KinesisTelemetryExtensionProps {
  /**
   * Name of the layer.
   *
   * @default 'kinesis-telemetry-api-extension'
   */
  readonly extensionName?: string;

  /**
   * Name of the managed policy. Names of policies are one per account, whatever the region.
   *
   * @default `${extensionName}-runtime`
   */
  readonly policyName?: string;

  /**
   * Name of the stream.
   *
   * @default 'telemetry-kinesis-stream'
   */
  readonly streamName?: string;

  /**
   * What becomes of the stream with the stack, of its key and of the bucket for dead letters.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * How the names of the SSM parameters begin.
   *
   * @default '/telemetry/kinesis'
   */
  readonly parameterPrefix?: string;

  /**
   * Whether there is an example function.
   *
   * @default true
   */
  readonly exampleFunction?: boolean;

  /**
   * Value of the tag `CostCenter`.
   *
   * @default 'telemetry'
   */
  readonly costCenter?: string;

  /**
   * Value of the tag `Environment`.
   *
   * @default 'development'
   */
  readonly environment?: string;

  /**
   * Value of the tag `Application`.
   *
   * @default 'kinesis-telemetry-api-extension'
   */
  readonly application?: string;

  /**
   * Value of the tag `Owner`.
   *
   * @default 'telemetry'
   */
  readonly owner?: string;
}
