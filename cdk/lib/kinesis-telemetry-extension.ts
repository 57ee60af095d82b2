import { Annotations, AspectPriority, Aspects, CfnDeletionPolicy, RemovalPolicy, Stack, Stage, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct, IConstruct } from 'constructs';
import { AttachKinesisTelemetry, AttachKinesisTelemetryProps, reportUnreached } from './attach-aspect';
import { attachable, configurable, IKinesisTelemetryExtension } from './attachable';
import { DeadLetter, DeadLetterBucketOptions, makeBucket } from './dead-letter';
import { BucketDeliveryOptions, checkDeliverable, checkDelivered, deliverToBucket, deliverToTable, TableDeliveryOptions } from './delivery';
import { DeployCheck } from './deploy-check';
import { environmentOf, requireSameEnvironment } from './environment';
import { allow, attachLayer, attachPolicy, claim, setVariables } from './function';
import { FLAG, having, Kind, known, listOf, oneOf, OPTIONS, REMOVAL_POLICY, requireKind, requireKinds, TEXT } from './kinds';
import { importLayer, LayerPackaging, LayersByArchitecture, makeLayers } from './layer';
import { AlarmOptions, DashboardOptions, ExtensionAlarms, makeAlarms, makeDashboard } from './metrics';
import { requireOneLibrary } from './one-library';
import { loggingOf, makeRuntimePolicy, ownLogGroup } from './runtime-policy';
import { MetricsFormat, PartitionKey, RecordFormat, settingsEnvironment, someSettings, TelemetrySettings, withOverrides } from './settings';
import { checkStreamArn, makeStream, NEW_STREAM_PROPS, NewStreamProps, RecordDistribution } from './stream';
import { LOOP, readsStream } from './stream-reader';
import { takeName } from './taken-names';
import { requireThat } from './validation';
import { weakReference } from './weak-reference';

/** Props of {@link KinesisTelemetryExtension}; the settings among them hold for all its functions. */
export interface KinesisTelemetryExtensionProps extends TelemetrySettings, NewStreamProps {
  /**
   * A stream that exists already, also of another account or region. A customer key of it has to be
   * known (`Stream.fromStreamAttributes` with `encryptionKey`), so that functions may use it.
   *
   * @default - a new stream
   */
  readonly stream?: kinesis.IStream;

  /**
   * Name of the layers; with `LayerPackaging.PER_ARCHITECTURE` `-x86_64` and `-arm64` follow.
   *
   * @default 'kinesis-telemetry-api-extension'
   */
  readonly extensionName?: string;

  /**
   * How the extension is laid into layers.
   *
   * @default LayerPackaging.UNIVERSAL
   */
  readonly layerPackaging?: LayerPackaging;

  /**
   * Folder with the zips that `./build.sh layer` makes.
   *
   * @default - those that the package brings along, or `layer/dist` of the repository
   */
  readonly layerDirectory?: string;

  /**
   * Runtimes that the layers are listed under, 15 at most. Functions of others can be attached as well.
   *
   * @default LISTED_RUNTIMES
   */
  readonly compatibleRuntimes?: lambda.Runtime[];

  /**
   * What becomes of a layer version when the next one takes its place, and with the stack. Functions
   * that name a deleted one run on, but can neither be updated nor rolled back.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly layerRemovalPolicy?: RemovalPolicy;

  /**
   * ARN of a layer version that exists already, of the functions' region and for their CPUs.
   *
   * @default - new layers
   */
  readonly layerVersionArn?: string;

  /**
   * Name of the managed policy. Names of policies are one per account, whatever the region.
   *
   * @default - made by CloudFormation
   */
  readonly policyName?: string;

  /**
   * Functions may not write to CloudWatch Logs: what they log goes to the stream alone. Excludes
   * metrics, which CloudWatch makes from log lines.
   *
   * With `recordFormat: RecordFormat.CLOUDWATCH` it replaces a log group and its subscription filter. What else CloudWatch
   * does with log lines is lost: metric filters, Live Tail, Logs Insights, and metrics that functions themselves log in
   * embedded metric format.
   *
   * @default false - the three actions that logging needs are allowed
   */
  readonly denyCloudWatchLogs?: boolean;

  /**
   * A deployment fails unless telemetry would be delivered: the program's `--check` is run in the subnets,
   * security groups and role of the functions, with their settings. Of the functions of a stack that have
   * the same subnets and security groups, the first that is attached stands for all; `check(fn)` is for
   * others. It is run again when what it looks at changes, and not when a roll-back changes it. Since it
   * writes nothing, it does not see whether a customer key and a bucket for dead letters can be used.
   *
   * Makes two small functions, a role and a log group for each check; `removalPolicy` holds for the log
   * groups too. Lines of failed steps are the reason that CloudFormation gives, as far as 4 KB go; the log
   * has them all.
   *
   * @default false
   */
  readonly checkAtDeploy?: boolean;

  /**
   * Makes a bucket where dead letters go; `{}` for all its defaults.
   *
   * @default - no bucket
   */
  readonly deadLetterBucket?: DeadLetterBucketOptions;

  /**
   * Lets AWS deliver the new stream into a bucket, without a consumer: an `AWS::Kinesis::Channel` of the
   * format that records have (`JSON`, with `aggregation` `STRING`, with compressed ones `BYTE_ARRAY`). Needs a
   * stream on demand, and a customer key or none (see `encryption`). What was written before it is there is
   * not delivered; `{}` for all its defaults.
   *
   * @default - no delivery
   */
  readonly deliverToBucket?: BucketDeliveryOptions;

  /**
   * Lets AWS deliver the new stream into an Iceberg table, a row for each record: for `RecordFormat.EVENT`
   * and `RecordFormat.ENRICHED` without aggregation and compression. Needs what `deliverToBucket` needs, and
   * a JSON schema in Glue's registry.
   *
   * @default - no delivery
   */
  readonly deliverToTable?: TableDeliveryOptions;

  /**
   * Makes alarms: the stream throttled, records dropped, dead letters, Kinesis out of reach; `{}` for all their defaults.
   *
   * @default - no alarms
   */
  readonly alarms?: AlarmOptions;

  /**
   * Makes a dashboard of the extension's metrics and the stream's; `{}` for all its defaults.
   *
   * @default - no dashboard
   */
  readonly dashboard?: DashboardOptions;
}

/**
 * The Kinesis telemetry extension for functions of a stack: stream, layer, policy, and what belongs to
 * them. Functions get it by {@link attachTo}, or all of a scope by {@link attachToAll}.
 *
 * ```ts
 * const telemetry = new KinesisTelemetryExtension(this, 'Telemetry', { alarms: {} });
 * telemetry.attachTo(fn);
 * ```
 */
export class KinesisTelemetryExtension extends Construct implements IKinesisTelemetryExtension {
  /** Where telemetry goes. */
  public readonly stream: kinesis.IStream;

  /** The customer key of the stream, if it is known to have one. */
  public readonly streamKey?: kms.IKey;

  /** The layer versions: one for both CPUs, or one for x86_64 and one for arm64. */
  public readonly layers: lambda.ILayerVersion[];

  /** What a function's role needs. */
  public readonly policy: iam.ManagedPolicy;

  /** The bucket for dead letters, with `deadLetterBucket`. */
  public readonly bucket?: s3.Bucket;

  /** Where objects are delivered to, with `deliverToBucket`. */
  public readonly deliveryBucket?: s3.IBucket;

  /** The alarms, with `alarms`. */
  public readonly alarms?: ExtensionAlarms;

  /** The dashboard, with `dashboard`. */
  public readonly dashboard?: cloudwatch.Dashboard;

  private readonly checkProps: { readonly layerDirectory?: string; readonly removalPolicy: RemovalPolicy };
  private readonly checkAtDeploy: boolean;
  /** Where a function has been checked: its stack, subnets and security groups. */
  private readonly checkedPlaces = new Set<string>();
  private readonly delivered: boolean;
  private readonly toTable: boolean;
  private readonly settings: TelemetrySettings;
  private readonly logsDenied: boolean;
  /** Of a new stream it is known whether it takes records without keys. */
  private readonly wantsKeys: boolean;
  private readonly layersByArchitecture: LayersByArchitecture;
  private readonly layered = new Set<lambda.IFunction>();
  /** The names of those that were set here, by function. */
  private readonly variables = new Map<lambda.IFunction, Set<string>>();
  /** All that was given for it so far, since values have to go together. */
  private readonly settingsOf = new Map<lambda.IFunction, TelemetrySettings>();

  public constructor(scope: Construct, id: string, props: KinesisTelemetryExtensionProps = {}) {
    super(scope, id);
    requireOneLibrary(this);
    checkProps(props);
    takeName(this, 'policyName', props.policyName, 'account');
    takeName(this, 'streamName', props.streamName, 'region');
    takeName(this, 'dashboard.name', props.dashboard?.name, 'account');

    if (props.layerVersionArn !== undefined) {
      const { region } = environmentOf(props.layerVersionArn);
      requireSameEnvironment(this, { region }, `layerVersionArn: a layer of ${region}, and it serves functions of that region alone: publish one here`);
    }

    this.stream = props.stream ?? makeStream(this, 'Stream', props, isDelivered(props));
    this.streamKey = this.stream.encryptionKey;
    checkStreamArn(this.stream);

    this.layersByArchitecture =
      props.layerVersionArn !== undefined
        ? importLayer(this, props.layerVersionArn)
        : makeLayers(this, props.layerPackaging ?? LayerPackaging.UNIVERSAL, {
            name: props.extensionName,
            directory: props.layerDirectory,
            runtimes: props.compatibleRuntimes,
            removalPolicy: props.layerRemovalPolicy,
          });
    this.layers = [...new Set(this.layersByArchitecture.values())];

    let deadLetter = props.deadLetter;
    if (props.deadLetterBucket !== undefined) {
      const { encryptionKey, removalPolicy, ...rest } = props.deadLetterBucket;
      this.bucket = makeBucket(this, 'DeadLetterBucket', {
        ...rest,
        // What is asked for the stream holds for what it does not take, too.
        encryptionKey: encryptionKey ?? (props.stream === undefined ? this.streamKey : undefined),
        removalPolicy: removalPolicy ?? props.removalPolicy,
      });
      keepKeyOf(this.bucket, this.streamKey);
      deadLetter = DeadLetter.bucket(this.bucket, props.deadLetterBucket.prefix ?? 'kinesis-telemetry');
    }
    const watched = props.alarms !== undefined || props.dashboard !== undefined;
    const auto = props.recordDistribution === RecordDistribution.AUTO;
    this.wantsKeys = props.stream === undefined && !auto;
    this.settings = {
      ...props,
      deadLetter,
      metrics: props.metrics ?? (watched ? MetricsFormat.EMF : undefined),
      partitionKey: props.partitionKey ?? (auto ? PartitionKey.NONE : undefined),
    };
    this.checkKeys(this.settings);
    // Whatever is wrong with the settings is said here, and not when the first function is attached.
    settingsEnvironment(this.settings);

    this.checkAtDeploy = props.checkAtDeploy ?? false;
    this.checkProps = { layerDirectory: props.layerDirectory, removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN };

    checkPolicyName(props.policyName);
    this.logsDenied = props.denyCloudWatchLogs ?? false;
    this.policy = makeRuntimePolicy(this, {
      name: props.policyName,
      stream: this.stream,
      deadLetter,
      denyCloudWatchLogs: this.logsDenied,
    });

    this.delivered = isDelivered(props);
    this.toTable = props.deliverToTable !== undefined;
    if (props.deliverToBucket !== undefined) {
      this.deliveryBucket = deliverToBucket(this, this.stream, props.deliverToBucket, this.settings, props.removalPolicy);
    }
    if (props.deliverToTable !== undefined) {
      deliverToTable(this, this.stream, props.deliverToTable, props.removalPolicy);
    }
    this.checkDelivery(this.settings);

    if (props.alarms !== undefined) {
      this.alarms = makeAlarms(this, this.stream, props.alarms);
    }
    if (props.dashboard !== undefined) {
      this.dashboard = makeDashboard(this, this.stream, props.dashboard);
    }
    // Last of all, since what makes a function read the stream may come after it was attached.
    Aspects.of(this).add({ visit: (node) => node === this && this.warnOfLoops() }, { priority: AspectPriority.READONLY });
  }

  /** The layer version for functions of an architecture. */
  public layerFor(architecture: lambda.Architecture): lambda.ILayerVersion {
    const layer = this.layersByArchitecture.get(architecture.name);
    requireThat(layer !== undefined, `no layer for architecture ${architecture.name}: there are x86_64 and arm64`);
    return layer;
  }

  /**
   * Gives a function the layer of its architecture, the policy, and the settings as environment
   * variables, with `RecordFormat.CLOUDWATCH` also the log group of its logging configuration. A variable that
   * the function has by itself stays as it is, whether it was set before or
   * comes later. Attaching again changes nothing but the settings that are given then. A function of
   * another stack of the app reads layer, policy and stream from SSM parameters of this one whenever its
   * stack is deployed; there are no exports, which would forbid this stack's next update.
   *
   * A function that reads the stream gets a warning when the app is synthesized: without a filter or
   * other `types` its telemetry would keep it running for ever.
   *
   * @param fn a function with a zip, of this stack's account, region and stage
   * @param overrides settings of this function that differ from the construct's
   */
  public attachTo(fn: lambda.IFunction, overrides: TelemetrySettings = {}): void {
    const target = this.layered.has(fn) ? configurable(this, fn) : attachable(this, fn);
    this.configure(target, overrides);
    if (!this.layered.has(target)) {
      this.layered.add(target);
      attachLayer(this, target, this.layerFor(target.architecture));
    }
  }

  /**
   * Gives a function policy and settings, not the layer: for container images that have the extension
   * in `/opt/extensions/` already.
   *
   * @param fn a function of this stack's account and region
   * @param overrides settings of this function that differ from the construct's
   */
  public configure(fn: lambda.IFunction, overrides: TelemetrySettings = {}): void {
    const target = configurable(this, fn);
    requireKind('settings of a function', overrides, OPTIONS);
    if (this.logsDenied) {
      checkWithoutLogs(overrides);
    }
    const ours = this.variables.get(target);
    const settings = withOverrides(this.settingsOf.get(target) ?? this.settings, overrides);
    // Which may be refused: nothing of the function is changed before.
    settingsEnvironment(settings);
    this.checkKeys(settings);
    this.checkDelivery(settings);
    if (ours !== undefined) {
      // A group that was named before still counts.
      const { logGroup, systemLevel } = settings;
      setVariables(target, { ...loggingVariables(target, overrides), ...someSettings({ ...overrides, logGroup, systemLevel }) }, ours);
    } else {
      claim(target, this);
      attachPolicy(this, target, this.policy);
      allow(target, this.logsDenied ? [] : ownLogGroup(target));
      this.variables.set(target, setVariables(target, this.environment(target, settings)));
    }
    this.settingsOf.set(target, settings);
    allow(target, overrides.deadLetter?.statements() ?? []);
    if (this.checkAtDeploy && ours === undefined) {
      this.checkPlaceOf(target);
    }
  }

  /**
   * Lets a deployment of a function's stack fail unless the function's telemetry would be delivered, as
   * `checkAtDeploy` does for one function of each place. Once is enough.
   *
   * The check waits for endpoints, routes and rules of security groups of its stack. For what else it needs
   * there: `telemetry.check(fn).node.addDependency(attachment)`.
   *
   * @param fn a function that is attached or configured
   * @returns what the check is made of, the same each time
   */
  public check(fn: lambda.IFunction): Construct {
    requireThat(this.isAttachedTo(fn), `${fn?.node?.path ?? 'check()'}: attach it first`);
    const target = fn as lambda.Function;
    const known = target.node.children.find((child): child is DeployCheck => child instanceof DeployCheck);
    return known ?? new DeployCheck(target, { ...this.checkProps, policy: this.policy });
  }

  /**
   * Attaches to every function of a scope that can have it, also to those that come later. See
   * {@link AttachKinesisTelemetry}. Functions of other stages cannot: they are named in a warning.
   *
   * @param scope a stack, a stage, the app
   * @param props settings, and which functions to leave out
   */
  public attachToAll(scope: IConstruct, props: AttachKinesisTelemetryProps = {}): void {
    const stage = Stage.of(this);
    // An Aspect of the app would not come into the stage.
    const above = stage !== undefined && stage !== scope && stage.node.scopes.includes(scope);
    Aspects.of(above ? stage : scope).add(new AttachKinesisTelemetry(this, props), { priority: AspectPriority.MUTATING });
    if (above) {
      Aspects.of(this).add(
        { visit: (node) => node === this && reportUnreached(this, scope, props) },
        { priority: AspectPriority.READONLY },
      );
    }
  }

  /** Whether a function was attached or configured here. */
  public isAttachedTo(fn: lambda.IFunction): boolean {
    return this.variables.has(fn);
  }

  private checkKeys({ partitionKey }: TelemetrySettings): void {
    requireThat(
      partitionKey !== PartitionKey.NONE || !this.wantsKeys,
      'partitionKey: NONE needs a stream with recordDistribution AUTO',
    );
  }

  private checkDelivery(settings: TelemetrySettings): void {
    if (this.delivered) {
      checkDelivered(settings, this.settings, this.toTable);
    }
  }

  private checkPlaceOf(fn: lambda.Function): void {
    const stack = Stack.of(fn);
    const place = JSON.stringify([stack.node.path, stack.resolve((fn.node.defaultChild as lambda.CfnFunction).vpcConfig)]);
    if (!this.checkedPlaces.has(place)) {
      this.checkedPlaces.add(place);
      this.check(fn);
    }
  }

  private warnOfLoops(): void {
    for (const fn of this.variables.keys()) {
      if (readsStream(fn as lambda.Function, this.stream)) {
        Annotations.of(fn).addWarningV2('kinesis-telemetry-api-extension:loop', `Attached to the Kinesis telemetry extension, but ${LOOP}`);
      }
    }
  }

  private environment(fn: lambda.Function, settings: TelemetrySettings): Record<string, string> {
    const ours = this.variablesOf(this.settings);
    const variables = Object.entries(this.variablesOf(settings));
    return {
      ...loggingVariables(fn, settings),
      ...Object.fromEntries(
        variables.map(([name, value]) => [name, value === ours[name] ? weakReference(this, name, value, fn) : value]),
      ),
    };
  }

  private variablesOf(settings: TelemetrySettings): Record<string, string> {
    // By its ARN a stream can be of another account and another region.
    return { KINESIS_STREAM_ARN: this.stream.streamArn, ...settingsEnvironment(settings) };
  }
}

/** What a subscription message tells of a function's logging, which the extension cannot see when it runs. */
function loggingVariables(fn: lambda.Function, { recordFormat }: TelemetrySettings): Record<string, string> {
  const { logGroup, systemLogLevel } = recordFormat === RecordFormat.CLOUDWATCH ? loggingOf(fn) : {};
  const variables = Object.entries({ TELEMETRY_LOG_GROUP: logGroup, TELEMETRY_SYSTEM_LEVEL: systemLogLevel });
  return Object.fromEntries(variables.filter(([, value]) => value !== undefined).map(([name, value]) => [name, Token.asString(value)]));
}

function checkPolicyName(name: string | undefined): void {
  requireThat(
    name === undefined || Token.isUnresolved(name) || /^[\w+=,.@-]{1,128}$/.test(name),
    `policyName: 1 to 128 letters, digits or _ + = , . @ -, not ${JSON.stringify(name)}`,
  );
}

function checkLayerProps(props: KinesisTelemetryExtensionProps): void {
  const { layerVersionArn, layerPackaging, compatibleRuntimes, layerRemovalPolicy } = props;
  requireThat(
    layerVersionArn === undefined ||
    Token.isUnresolved(layerVersionArn) ||
    /^arn:aws[A-Za-z0-9-]*:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+$/.test(layerVersionArn),
    `layerVersionArn: arn:PARTITION:lambda:REGION:ACCOUNT:layer:NAME:VERSION, not ${JSON.stringify(layerVersionArn)}`,
  );
  requireThat(
    layerVersionArn === undefined || layerPackaging !== LayerPackaging.PER_ARCHITECTURE,
    'layerPackaging: per-architecture makes two new layers, and one is given with layerVersionArn',
  );
  requireThat(
    layerVersionArn === undefined || compatibleRuntimes === undefined,
    'compatibleRuntimes: of new layers, and one is given with layerVersionArn',
  );
  requireThat(
    layerVersionArn === undefined || layerRemovalPolicy === undefined,
    'layerRemovalPolicy: of new layers, and one is given with layerVersionArn',
  );
}

// Without it a bucket that stays would hold what nobody can read.
function keepKeyOf(bucket: s3.Bucket, streamKey: kms.IKey | undefined): void {
  const { deletionPolicy } = (bucket.node.defaultChild as s3.CfnBucket).cfnOptions;
  if (deletionPolicy === CfnDeletionPolicy.RETAIN && bucket.encryptionKey === streamKey && streamKey?.node.scope === bucket.node.scope) {
    streamKey?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}

/** Of the props that are used here; those of streams and layers, and settings, are checked where they are used. */
const KINDS: Record<string, Kind> = {
  stream: having('streamArn', 'a kinesis.IStream, as Stream.fromStreamArn() makes it'),
  extensionName: known(TEXT),
  layerPackaging: known(oneOf(LayerPackaging)),
  layerDirectory: known(TEXT),
  compatibleRuntimes: listOf({ is: (value) => value instanceof lambda.Runtime, what: 'a lambda.Runtime' }),
  layerVersionArn: TEXT,
  layerRemovalPolicy: REMOVAL_POLICY,
  policyName: TEXT,
  denyCloudWatchLogs: FLAG,
  checkAtDeploy: FLAG,
  deadLetterBucket: OPTIONS,
  deliverToBucket: OPTIONS,
  deliverToTable: OPTIONS,
  alarms: OPTIONS,
  dashboard: OPTIONS,
};

function isDelivered(props: KinesisTelemetryExtensionProps): boolean {
  return props.deliverToBucket !== undefined || props.deliverToTable !== undefined;
}

function checkProps(props: KinesisTelemetryExtensionProps): void {
  requireKinds(props, KINDS);
  checkLayerProps(props);
  requireThat(
    !(props.alarms || props.dashboard) || props.metrics !== MetricsFormat.NONE,
    'metrics: alarms and dashboard need MetricsFormat.EMF: leave NONE to attachTo(fn, { metrics }), for single functions',
  );
  const useless = NEW_STREAM_PROPS.filter((name) => name !== 'removalPolicy' || !(props.deadLetterBucket || props.checkAtDeploy)).find(
    (name) => props.stream !== undefined && props[name] !== undefined,
  );
  requireThat(useless === undefined, `${useless}: of a new stream, and one is given with stream`);
  requireThat(
    props.deadLetter === undefined || props.deadLetterBucket === undefined,
    'deadLetter, deadLetterBucket: one of them',
  );
  if (isDelivered(props)) {
    checkDeliverable(props);
  }
  if (props.denyCloudWatchLogs) {
    checkWithoutLogs(props);
  }
}

/** Refuses what needs log lines, of the construct or of one function. */
function checkWithoutLogs(props: KinesisTelemetryExtensionProps): void {
  requireThat(
    !(props.alarms || props.dashboard || props.metrics === MetricsFormat.EMF),
    'denyCloudWatchLogs: no metrics, alarms or dashboard with it, since CloudWatch makes metrics from log lines',
  );
  requireThat(
    props.deadLetter !== DeadLetter.STDERR,
    'denyCloudWatchLogs: no dead letters on standard error with it, since they would reach nobody',
  );
}
