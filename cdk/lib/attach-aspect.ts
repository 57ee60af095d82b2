import { Annotations, IAspect } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { obstacle } from './attachable';
import type { KinesisTelemetryExtension } from './kinesis-telemetry-extension';
import { TelemetrySettings } from './settings';

/** Props of {@link AttachKinesisTelemetry}. */
export interface AttachKinesisTelemetryProps {
  /**
   * Settings of these functions that differ from the construct's.
   *
   * @default - none
   */
  readonly settings?: TelemetrySettings;

  /**
   * Functions that are left alone: those for which it returns true.
   *
   * @default - none
   */
  readonly exclude?: (fn: lambda.Function) => boolean;
}

/**
 * Attaches the extension to every function of a scope. Functions that were attached by hand keep the
 * settings that they got; what cannot have it (container images, Lambda@Edge, other regions) is left
 * alone with a warning, as are functions made as CfnFunction.
 *
 * ```ts
 * Aspects.of(app).add(new AttachKinesisTelemetry(telemetry));
 * ```
 */
export class AttachKinesisTelemetry implements IAspect {
  public constructor(
    private readonly extension: KinesisTelemetryExtension,
    private readonly props: AttachKinesisTelemetryProps = {},
  ) {}

  /** Called by the CDK for every construct of the scope. */
  public visit(node: IConstruct): void {
    if (node instanceof lambda.CfnFunction && !(node.node.scope instanceof lambda.Function)) {
      warn(node, 'a CfnFunction is not changed: make it a lambda.Function');
    }
    if (!(node instanceof lambda.Function) || this.extension.isAttachedTo(node) || this.props.exclude?.(node)) {
      return;
    }
    const reason = obstacle(this.extension, node);
    if (reason !== undefined) {
      warn(node, reason);
      return;
    }
    this.extension.attachTo(node, this.props.settings);
  }
}

function warn(node: IConstruct, reason: string): void {
  Annotations.of(node).addWarningV2('kinesis-telemetry-api-extension:not-attached', `Not attached: ${reason}`);
}
