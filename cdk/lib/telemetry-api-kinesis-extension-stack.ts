import { ArnFormat, CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { KinesisTelemetryExtension } from './kinesis-telemetry-extension';
import { FLAG, Kind, known, requireKinds, TEXT } from './kinds';
import { EXTENSION_NAME, runtimeOf } from './layer';
import { contextProps, contextStream } from './stack-context';
import { TelemetryApiKinesisExtensionStackProps } from './stack-props';
import { takeName } from './taken-names';
import { requireThat } from './validation';

/** Stream, layer, policy, SSM parameters by which other stacks find them, and an example function. */
export class TelemetryApiKinesisExtensionStack extends Stack {
  /** Stream, layer, policy. */
  public readonly extension: KinesisTelemetryExtension;

  /** Hold the ARN of the layer version; two, x86_64 and arm64, with `LayerPackaging.PER_ARCHITECTURE`. */
  public readonly extensionParameters: ssm.StringParameter[];

  /** Holds the ARN of the managed policy. */
  public readonly policyParameter: ssm.StringParameter;

  /** Holds the ARN of the stream. */
  public readonly streamParameter: ssm.StringParameter;

  /** The example function, and what it is made of. */
  public readonly exampleFunction?: lambda.Function;
  public readonly exampleLogGroup?: logs.LogGroup;
  public readonly exampleRole?: iam.Role;

  public constructor(scope: Construct, id: string, given: TelemetryApiKinesisExtensionStackProps = {}) {
    requireKinds(given, KINDS);
    const props = { ...contextProps(scope), ...definedIn(given) };
    super(scope, id, { description: 'Sends telemetry of Lambda functions to a Kinesis data stream', ...props });

    const stream = props.stream ?? contextStream(this);
    this.extension = new KinesisTelemetryExtension(this, 'Extension', {
      ...(stream ? { stream } : { streamName: 'telemetry-kinesis-stream' }),
      ...(stream && !props.deadLetterBucket && !props.checkAtDeploy ? {} : { removalPolicy: RemovalPolicy.DESTROY }),
      policyName: `${props.extensionName ?? EXTENSION_NAME}-runtime`,
      ...props,
    });

    const prefix = props.parameterPrefix ?? '/telemetry/kinesis';
    requireThat(
      /^(\/[A-Za-z0-9_.-]+)+$/.test(prefix),
      `parameterPrefix: as /telemetry/kinesis, not ${JSON.stringify(prefix)}`,
    );
    takeName(this, 'parameterPrefix', prefix, 'region');
    this.extensionParameters = this.tellLayers(prefix);
    this.policyParameter = this.tell('Policy', `${prefix}/runtime/policy/arn`, this.extension.policy.managedPolicyArn);
    this.streamParameter = this.tell('Stream', `${prefix}/stream/arn`, this.extension.stream.streamArn);

    if (props.exampleFunction ?? true) {
      const functionName = `${this.stackName}-temp-nodejs20-function`;
      requireThat(
        functionName.length <= 64,
        `stackName: 41 characters at most, since the example function is called ${functionName}`,
      );
      this.exampleLogGroup = this.makeLogGroup(functionName);
      // Without AWS's own policy for logging: the extension's allows as much.
      this.exampleRole = new iam.Role(this, 'ExampleRole', {
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      });
      this.exampleFunction = this.makeFunction(functionName, this.exampleRole, this.exampleLogGroup);
      this.extension.attachTo(this.exampleFunction);
    }
    tag(this, props);
  }

  private tellLayers(prefix: string): ssm.StringParameter[] {
    const { layers } = this.extension;
    if (layers.length === 1) {
      return [this.tell('Layer', `${prefix}/extension/arn`, layers[0].layerVersionArn)];
    }
    const { X86_64, ARM_64 } = lambda.Architecture;
    return [
      this.tell('LayerX8664', `${prefix}/extension/x86_64/arn`, this.extension.layerFor(X86_64).layerVersionArn),
      this.tell('LayerArm64', `${prefix}/extension/arm64/arn`, this.extension.layerFor(ARM_64).layerVersionArn),
    ];
  }

  /** A parameter for other stacks, and an output for people. */
  private tell(id: string, parameterName: string, stringValue: string): ssm.StringParameter {
    const what = { Policy: 'managed policy', Stream: 'stream' }[id] ?? 'layer version';
    const description = `Kinesis telemetry extension: ARN of the ${what}`;
    new CfnOutput(this, `${id}Arn`, { value: stringValue, description });
    return new ssm.StringParameter(this, `${id}Parameter`, { parameterName, stringValue, description });
  }

  private makeLogGroup(functionName: string): logs.LogGroup {
    const logGroupName = `/aws/lambda/${functionName}`;
    return new logs.LogGroup(this, 'ExampleLogGroup', {
      logGroupName,
      retention: logs.RetentionDays.ONE_DAY,
      encryptionKey: this.keyForLogs(logGroupName),
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** The key of the new stream, where its policy can be made to allow CloudWatch Logs what it needs. */
  private keyForLogs(logGroupName: string): kms.IKey | undefined {
    const key = this.extension.stream instanceof kinesis.Stream ? this.extension.streamKey : undefined;
    // By its name: the group itself refers to the key.
    const group = this.formatArn({ service: 'logs', resource: 'log-group', resourceName: logGroupName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const added = key?.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'EncryptExampleLogs',
        principals: [new iam.ServicePrincipal(`logs.${this.region}.${this.urlSuffix}`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: { ArnEquals: { 'kms:EncryptionContext:aws:logs:arn': group } },
      }),
      true,
    );
    return added?.statementAdded ? key : undefined;
  }

  private makeFunction(functionName: string, role: iam.IRole, logGroup: logs.ILogGroup): lambda.Function {
    const fn = new lambda.Function(this, 'ExampleFunction', {
      functionName,
      description: 'Logs its event',
      runtime: runtimeOf('nodejs24.x', lambda.RuntimeFamily.NODEJS),
      handler: 'index.handler',
      code: lambda.Code.fromInline('exports.handler = async (event) => {\n  console.log(event);\n};\n'),
      loggingFormat: lambda.LoggingFormat.JSON,
      logGroup,
      role,
    });
    // The CDK's dependency on the role says no more than the role's ARN does; cfn-lint complains.
    (fn.node.defaultChild as lambda.CfnFunction).addDeletionOverride('DependsOn');
    return fn;
  }
}

const KINDS: Record<string, Kind> = {
  parameterPrefix: known(TEXT),
  exampleFunction: FLAG,
  costCenter: known(TEXT),
  environment: known(TEXT),
  application: known(TEXT),
  owner: known(TEXT),
};

function definedIn<T extends object>(props: T): Partial<T> {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function tag(stack: Stack, props: TelemetryApiKinesisExtensionStackProps): void {
  const values = {
    CostCenter: props.costCenter ?? 'telemetry',
    Environment: props.environment ?? 'development',
    Application: props.application ?? EXTENSION_NAME,
    Owner: props.owner ?? 'telemetry',
  };
  for (const [key, value] of Object.entries(values)) {
    requireThat(
      /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u.test(value),
      `tag ${key}: 1 to 256 letters, digits, spaces or _ . : / = + - @, not ${JSON.stringify(value)}`,
    );
    // Parameters have theirs from the stack alone: where other resources have a list of tags they have a
    // map, which not every tool that reads templates knows.
    Tags.of(stack).add(key, value, { excludeResourceTypes: ['AWS::SSM::Parameter'] });
    // The stack itself, from which CloudFormation hands them on; Tags.of() means what is in it.
    stack.tags.setTag(key, value);
  }
}
