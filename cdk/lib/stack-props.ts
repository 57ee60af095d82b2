import { StackProps } from 'aws-cdk-lib';
import { KinesisTelemetryExtensionProps } from './kinesis-telemetry-extension';

/**
 * Props of `TelemetryApiKinesisExtensionStack`: those of a stack, those of the construct, and
 * these. What is left out is taken from the CDK context, where it has the same name; see
 * `stack-context.ts`. What is in neither is as the construct has it, but for these:
 *
 * | Prop | Default |
 * |---|---|
 * | `policyName` | `${extensionName}-runtime` |
 * | `streamName` | `telemetry-kinesis-stream`; none with `stream` |
 * | `removalPolicy` | `RemovalPolicy.DESTROY` |
 */
export interface TelemetryApiKinesisExtensionStackProps extends StackProps, KinesisTelemetryExtensionProps {
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
