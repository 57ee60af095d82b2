import { Annotations, CfnResource, IAspect, Stage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { IKinesisTelemetryExtension, obstacle, OWN_IN_EACH_STAGE, sameStage } from './attachable';
import { isBareCdkProvider, isCdkProvider } from './cdk-provider';
import { isOfCheck } from './deploy-check';
import { ownerOf } from './function';
import { CALLBACK, CONSTRUCT, FLAG, listOf, OPTIONS, requireKinds } from './kinds';
import { requireOneLibrary } from './one-library';
import { someSettings, TelemetrySettings } from './settings';
import { LOOP, readsStream } from './stream-reader';
import { requireThat } from './validation';

/** Props of {@link AttachKinesisTelemetry}. */
export interface AttachKinesisTelemetryProps {
  /**
   * Settings of these functions that differ from the construct's.
   *
   * @default - none
   */
  readonly settings?: TelemetrySettings;

  /**
   * Functions that are left alone: those for which it returns true. In TypeScript alone; in other languages
   * `excludeScopes` does as much.
   *
   * @default - none
   * @jsii ignore
   */
  readonly exclude?: (fn: lambda.Function) => boolean;

  /**
   * Functions that are left alone, and scopes (a stack, a construct) whose functions all are.
   *
   * @default - none
   */
  readonly excludeScopes?: IConstruct[];

  /**
   * Also the functions that the CDK adds by itself: those behind custom resources, log retention,
   * emptying of buckets, deployments into buckets. Some of them cannot be changed, and are named in a
   * warning then.
   *
   * @default false
   */
  readonly includeCdkProviders?: boolean;
}

/**
 * Attaches the extension to every function of a scope. Functions that were attached by hand keep the
 * settings that they got; what cannot have it (container images, Lambda@Edge, functions with five
 * layers, with another construct's extension, of other regions or stages) is left alone with a warning,
 * as are functions made as CfnFunction, and functions that read the stream. The CDK's own functions are
 * left alone.
 *
 * ```ts
 * Aspects.of(stack).add(new AttachKinesisTelemetry(telemetry));
 * ```
 *
 * The CDK does not carry an Aspect from an app into its stages; `KinesisTelemetryExtension.attachToAll`
 * finds the stage by itself.
 */
export class AttachKinesisTelemetry implements IAspect {
  public constructor(
    private readonly extension: IKinesisTelemetryExtension,
    private readonly props: AttachKinesisTelemetryProps = {},
  ) {
    requireKinds(props, { settings: OPTIONS, exclude: CALLBACK, excludeScopes: listOf(CONSTRUCT), includeCdkProviders: FLAG });
    someSettings(props.settings ?? {});
  }

  /** Called by the CDK for every construct of the scope. */
  public visit(node: IConstruct): void {
    this.lookIntoStages(node);
    if (CfnResource.isCfnResource(node) && node.cfnResourceType === lambda.CfnFunction.CFN_RESOURCE_TYPE_NAME) {
      requireOneLibrary(node);
    }
    if (node instanceof lambda.CfnFunction && !(node.node.scope instanceof lambda.Function) && !isOfCheck(node)) {
      warn(node, 'a CfnFunction is not changed: make it a lambda.Function');
    }
    if (this.props.includeCdkProviders && isBareCdkProvider(node)) {
      warn(node, 'a function of the CDK that is no lambda.Function');
    }
    if (!(node instanceof lambda.Function) || this.extension.isAttachedTo(node) || !isMeant(node, this.props)) {
      return;
    }
    const reason = obstacle(this.extension, node) ?? (readsStream(node, this.extension.stream) ? LOOP : undefined);
    if (reason !== undefined) {
      warn(node, reason);
      return;
    }
    this.extension.attachTo(node, this.props.settings);
  }

  // Below a stage no Aspect of what is above it is called, and what it holds is synthesized by now.
  private lookIntoStages(node: IConstruct): void {
    for (const stage of node.node.children.filter(Stage.isStage)) {
      requireThat(
        Stage.of(this.extension) !== stage,
        `${this.extension.node.path}: the CDK does not carry an Aspect into a stage: use attachToAll(), or Aspects.of() on ${stage.node.path}`,
      );
      // Stage.of() a stage is the one around it.
      if (sameStage(stage, this.extension)) {
        reportUnreached(this.extension, stage, this.props);
      }
    }
  }
}

/**
 * Warns of the functions of a scope that lie in other stages than the extension, which no Aspect of its
 * stage comes to see. Said of the extension: their own stages may be synthesized already.
 */
export function reportUnreached(
  extension: IKinesisTelemetryExtension,
  scope: IConstruct,
  props: AttachKinesisTelemetryProps,
): void {
  const paths = scope.node
    .findAll()
    .filter((node): node is lambda.Function => node instanceof lambda.Function)
    .filter((fn) => !sameStage(extension, fn) && isMeant(fn, props) && ownerOf(fn) === undefined)
    .map((fn) => fn.node.path);
  if (paths.length > 0) {
    warn(extension, `${paths.join(', ')}: in another stage, and ${OWN_IN_EACH_STAGE}`);
  }
}

function isMeant(fn: lambda.Function, props: AttachKinesisTelemetryProps): boolean {
  const { exclude, excludeScopes = [], includeCdkProviders } = props;
  const within = fn.node.scopes.some((scope) => excludeScopes.includes(scope));
  return (includeCdkProviders || !isCdkProvider(fn)) && !within && !exclude?.(fn);
}

function warn(node: IConstruct, reason: string): void {
  Annotations.of(node).addWarningV2('kinesis-telemetry-api-extension:not-attached', `Not attached: ${reason}`);
}
