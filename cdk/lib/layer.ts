import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { FileSystem, RemovalPolicy } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ConfigurationError, requireThat } from './validation';

/** The file that Lambda runs in `/opt/extensions/`; layers are called by it too unless told otherwise. */
export const EXTENSION_NAME = 'kinesis-telemetry-api-extension';

/** How the extension is laid into layers. */
export enum LayerPackaging {
  /** One layer with the binaries of both CPUs and a launcher that picks one by shell builtins. */
  UNIVERSAL = 'universal',
  /** A layer for each CPU with the bare binary: the fastest start. */
  PER_ARCHITECTURE = 'per-architecture',
}

/** A runtime by its name, also where aws-cdk-lib is older than the runtime. */
export function runtimeOf(name: string, family: lambda.RuntimeFamily): lambda.Runtime {
  const supportsInlineCode = family === lambda.RuntimeFamily.NODEJS || family === lambda.RuntimeFamily.PYTHON;
  return lambda.Runtime.ALL.find((runtime) => runtime.name === name) ?? new lambda.Runtime(name, family, { supportsInlineCode });
}

/**
 * The runtimes that layers are listed under in consoles and CLIs; a layer version takes 15. Left out
 * are nodejs20.x, python3.10, ruby3.2 and provided.al2, which AWS deprecated in 2026; java8.al2 and
 * java11, the oldest; python3.15 and the java*.al2023 ones, which are too new for validators to know.
 * The list filters and forbids nothing: the extension runs beside all of them.
 */
export const LISTED_RUNTIMES: lambda.Runtime[] = [
  runtimeOf('nodejs22.x', lambda.RuntimeFamily.NODEJS),
  runtimeOf('nodejs24.x', lambda.RuntimeFamily.NODEJS),
  runtimeOf('python3.11', lambda.RuntimeFamily.PYTHON),
  runtimeOf('python3.12', lambda.RuntimeFamily.PYTHON),
  runtimeOf('python3.13', lambda.RuntimeFamily.PYTHON),
  runtimeOf('python3.14', lambda.RuntimeFamily.PYTHON),
  runtimeOf('java17', lambda.RuntimeFamily.JAVA),
  runtimeOf('java21', lambda.RuntimeFamily.JAVA),
  runtimeOf('java25', lambda.RuntimeFamily.JAVA),
  runtimeOf('dotnet8', lambda.RuntimeFamily.DOTNET_CORE),
  runtimeOf('dotnet10', lambda.RuntimeFamily.DOTNET_CORE),
  runtimeOf('ruby3.3', lambda.RuntimeFamily.RUBY),
  runtimeOf('ruby3.4', lambda.RuntimeFamily.RUBY),
  runtimeOf('ruby4.0', lambda.RuntimeFamily.RUBY),
  runtimeOf('provided.al2023', lambda.RuntimeFamily.OTHER),
];

/**
 * Props of {@link ExtensionLayer}.
 *
 * @jsii ignore
 */
export interface ExtensionLayerProps {
  /**
   * The one CPU that the layer is for.
   *
   * @default - both CPUs
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Name of the layer; that of the architecture follows, if one is given.
   *
   * @default 'kinesis-telemetry-api-extension'
   */
  readonly name?: string;

  /**
   * Folder with the zips that `./build.sh layer` makes.
   *
   * @default - those that the package brings along, or `layer/dist` of the repository
   */
  readonly directory?: string;

  /**
   * Runtimes that the layer is listed under, 15 at most.
   *
   * @default LISTED_RUNTIMES
   */
  readonly runtimes?: lambda.Runtime[];

  /**
   * What becomes of a layer version when the next one takes its place, and with the stack. Functions
   * that name a deleted one run on, but can neither be updated nor rolled back.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

const BOTH = [lambda.Architecture.X86_64, lambda.Architecture.ARM_64];

/**
 * A version of the extension's layer. The architecture picks the zip and what it is compatible with. In TypeScript
 * alone: what Go and others are given of a class with so much of aws-cdk-lib's own works with the version alone that it
 * was compiled with.
 *
 * @jsii ignore
 */
export class ExtensionLayer extends lambda.LayerVersion {
  /** Another one whenever the layer version is another one. */
  public readonly identity: string;

  public constructor(scope: Construct, id: string, props: ExtensionLayerProps = {}) {
    checkProps(props);
    // Lambda's name for the CPU is the zip's too, x86_64 or arm64.
    const cpu = props.architecture?.name;
    const suffix = cpu === undefined ? '' : `-${cpu}`;
    const zip = findZip(`${EXTENSION_NAME}${suffix}.zip`, props.directory);
    const layerVersionName = (props.name ?? EXTENSION_NAME) + suffix;
    const description = `Kinesis telemetry extension ${packageVersion()} for ${cpu ?? 'x86_64 and arm64'}`;
    super(scope, id, {
      layerVersionName,
      description,
      license: 'MIT',
      compatibleArchitectures: props.architecture ? [props.architecture] : BOTH,
      code: lambda.Code.fromAsset(zip),
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    });
    const runtimes = (props.runtimes ?? LISTED_RUNTIMES).map((runtime) => runtime.name);
    // Not a prop of LayerVersion, which would refuse functions whose runtime is not among them.
    (this.node.defaultChild as lambda.CfnLayerVersion).compatibleRuntimes = runtimes;
    this.identity = [layerVersionName, description, ...runtimes, FileSystem.fingerprint(zip)].join();
  }
}

/** Layer versions by the names of the architectures that they serve. */
export type LayersByArchitecture = Map<string, lambda.ILayerVersion>;

/** The layer versions that the packaging asks for. */
export function makeLayers(scope: Construct, packaging: LayerPackaging, props: ExtensionLayerProps): LayersByArchitecture {
  if (packaging === LayerPackaging.UNIVERSAL) {
    return forBoth(new ExtensionLayer(scope, 'Layer', props));
  }
  return new Map(
    BOTH.map((architecture) => [
      architecture.name,
      new ExtensionLayer(scope, `Layer-${architecture.name}`, { ...props, architecture }),
    ]),
  );
}

/** A layer that exists already. */
export function importLayer(scope: Construct, layerVersionArn: string): LayersByArchitecture {
  return forBoth(lambda.LayerVersion.fromLayerVersionAttributes(scope, 'Layer', { layerVersionArn }));
}

function forBoth(layer: lambda.ILayerVersion): LayersByArchitecture {
  return new Map(BOTH.map((architecture) => [architecture.name, layer]));
}

function checkProps({ name, runtimes }: ExtensionLayerProps): void {
  requireThat(
    name === undefined || /^[A-Za-z0-9_-]{1,120}$/.test(name),
    `extensionName: 1 to 120 letters, digits, '_' or '-', not ${JSON.stringify(name)}`,
  );
  requireThat(
    runtimes === undefined || (runtimes.length >= 1 && runtimes.length <= 15),
    `compatibleRuntimes: a layer version takes 1 to 15, not ${runtimes?.length}`,
  );
}

/** A published package brings the zips along; in the repository they lie where the build leaves them. */
export function findZip(name: string, directory?: string): string {
  const root = packageRoot();
  const folders = directory !== undefined ? [resolve(directory)] : [join(root, 'layer'), resolve(root, '../layer/dist')];
  const paths = folders.map((folder) => join(folder, name));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    const missing = relative(process.cwd(), paths[paths.length - 1]);
    throw new ConfigurationError(`${missing} is missing: make it with ./build.sh layer in the root of the repository`);
  }
  return path;
}

// lib/ lies in the package's root as TypeScript, and in its dist/ when compiled.
function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    folder = dirname(folder);
  }
  return folder;
}

function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version;
}
