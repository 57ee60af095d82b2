import assert from 'node:assert/strict';

interface Resource {
  readonly Type: string;
  readonly Properties: any;
  readonly UpdateReplacePolicy?: string;
  readonly DeletionPolicy?: string;
}

interface Deployed {
  readonly template: any;
  /** Physical ids by logical ids. */
  readonly ids: Map<string, string>;
  readonly properties: Map<string, any>;
  readonly exports: Map<string, string>;
  readonly imports: Set<string>;
}

/**
 * CloudFormation's rules for updates that concern several stacks, as far as these templates meet them:
 *
 * - an export that another stack imports can be neither changed nor deleted
 * - a property that cannot be changed makes another resource, and the old one is deleted afterwards unless
 *   `UpdateReplacePolicy` is `Retain`
 * - `AWS::SSM::Parameter::Value<String>` is read at each update
 * - a function whose configuration changes has to name layer versions that there are
 * - a version of a function that has not changed since the last one is refused
 * - an update that fails leaves everything as it was
 */
export class CloudFormation {
  /** Layer versions that there are. */
  public layers = new Set<string>();
  /** Values of SSM parameters. */
  public parameters = new Map<string, string>();
  private stacks = new Map<string, Deployed>();
  /** Of functions, by physical id: what they are, and what their last version is. */
  private configurations = new Map<string, any>();
  private published = new Map<string, string>();
  private count = 0;

  /** Creates or updates a stack; throws what CloudFormation would say, and changes nothing then. */
  public deploy(name: string, template: any): void {
    const { layers, parameters, configurations, published } = this;
    this.layers = new Set(layers);
    this.parameters = new Map(parameters);
    this.configurations = new Map(configurations);
    this.published = new Map(published);
    try {
      this.update(name, template);
    } catch (error) {
      Object.assign(this, { layers, parameters, configurations, published });
      throw error;
    }
  }

  /** What a resource is now. */
  public properties(stack: string, type: string): any {
    const { template, properties } = this.stacks.get(stack)!;
    const found = Object.entries<Resource>(template.Resources).filter(([, { Type }]) => Type === type);
    assert.equal(found.length, 1, type);
    return properties.get(found[0][0]);
  }

  private update(name: string, template: any): void {
    const old = this.stacks.get(name);
    const made: Deployed = { template, ids: new Map(), properties: new Map(), exports: new Map(), imports: new Set() };
    const resolve = (value: any) => this.resolve(value, template, made);
    const cleanup: [Resource, string][] = [];
    for (const logicalId of inOrder(template)) {
      const resource: Resource = template.Resources[logicalId];
      const properties = resolve(resource.Properties ?? {});
      const was = old?.template.Resources[logicalId];
      const id = old?.ids.get(logicalId);
      const changed = JSON.stringify(properties) !== JSON.stringify(old?.properties.get(logicalId));
      made.properties.set(logicalId, properties);
      if (id !== undefined && !(changed && isReplaced(resource.Type, properties, old!.properties.get(logicalId)))) {
        made.ids.set(logicalId, id);
      } else {
        made.ids.set(logicalId, this.create(name, logicalId, resource.Type, properties));
        if (id !== undefined) {
          cleanup.push([{ ...was, DeletionPolicy: was.UpdateReplacePolicy }, id]);
        }
      }
      if (changed && resource.Type === 'AWS::Lambda::Function') {
        this.configurations.set(made.ids.get(logicalId)!, properties);
        for (const layer of properties.Layers ?? []) {
          assert.ok(this.layers.has(layer), `Layer version ${layer} does not exist`);
        }
      }
      if (resource.Type === 'AWS::SSM::Parameter') {
        this.parameters.set(properties.Name, properties.Value);
      }
    }
    for (const { Value, Export } of Object.values<any>(template.Outputs ?? {})) {
      if (Export !== undefined) {
        made.exports.set(resolve(Export.Name), resolve(Value));
      }
    }
    for (const [exported, value] of old?.exports ?? []) {
      const importer = [...this.stacks].find(([other, { imports }]) => other !== name && imports.has(exported));
      assert.ok(
        importer === undefined || made.exports.get(exported) === value,
        `Cannot update export ${exported} as it is in use by ${importer?.[0]}`,
      );
    }
    for (const [logicalId, id] of old?.ids ?? []) {
      if (!made.ids.has(logicalId)) {
        cleanup.push([old!.template.Resources[logicalId], id]);
      }
    }
    for (const [{ Type, DeletionPolicy }, id] of cleanup) {
      if (Type === 'AWS::Lambda::LayerVersion' && DeletionPolicy !== 'Retain') {
        this.layers.delete(id);
      }
    }
    this.stacks.set(name, made);
  }

  private create(stack: string, logicalId: string, type: string, properties: any): string {
    this.count++;
    switch (type) {
      case 'AWS::Lambda::LayerVersion': {
        const arn = `arn:aws:lambda:us-east-1:123456789012:layer:${properties.LayerName}:${this.count}`;
        this.layers.add(arn);
        return arn;
      }
      case 'AWS::Lambda::Version': {
        const { FunctionName } = properties;
        const configuration = JSON.stringify(this.configurations.get(FunctionName));
        assert.notEqual(this.published.get(FunctionName), configuration, 'A version for this Lambda function exists');
        this.published.set(FunctionName, configuration);
        return `${FunctionName}:${this.count}`;
      }
      default:
        return `${stack}-${properties.Name ?? properties.ManagedPolicyName ?? logicalId}-${this.count}`;
    }
  }

  private resolve(value: any, template: any, made: Deployed): any {
    const again = (inner: any) => this.resolve(inner, template, made);
    if (Array.isArray(value)) {
      return value.map(again);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const [[intrinsic, argument]] = [...Object.entries<any>(value), ['', undefined]];
    switch (intrinsic) {
      case 'Ref':
        return made.ids.get(argument) ?? this.parameterOf(template.Parameters?.[argument]) ?? argument;
      case 'Fn::GetAtt':
        return `${made.ids.get(argument[0])}.${argument[1]}`;
      case 'Fn::Join':
        return argument[1].map(again).join(argument[0]);
      case 'Fn::ImportValue': {
        const exported = [...this.stacks.values()].find(({ exports }) => exports.has(argument));
        assert.ok(exported !== undefined, `No export named ${argument} found`);
        made.imports.add(argument);
        return exported.exports.get(argument);
      }
      default:
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, again(inner)]));
    }
  }

  private parameterOf(parameter: any): string | undefined {
    if (parameter === undefined) {
      return undefined;
    }
    assert.equal(parameter.Type, 'AWS::SSM::Parameter::Value<String>');
    const value = this.parameters.get(parameter.Default);
    assert.ok(value !== undefined, `Unable to fetch parameters [${parameter.Default}] from parameter store`);
    return value;
  }
}

function isReplaced(type: string, now: any, before: any): boolean {
  const fixed = { 'AWS::Kinesis::Stream': 'Name', 'AWS::IAM::ManagedPolicy': 'ManagedPolicyName', 'AWS::SSM::Parameter': 'Name' }[type];
  return type === 'AWS::Lambda::LayerVersion' || (fixed !== undefined && now[fixed] !== before[fixed]);
}

/** Logical ids, each after those that it refers to. */
function inOrder(template: any): string[] {
  const ordered = new Set<string>();
  const visit = (logicalId: string) => {
    const text = JSON.stringify(template.Resources[logicalId]);
    for (const other of Object.keys(template.Resources)) {
      if (other !== logicalId && !ordered.has(other) && text.includes(`"${other}"`)) {
        visit(other);
      }
    }
    ordered.add(logicalId);
  };
  Object.keys(template.Resources).forEach(visit);
  return [...ordered];
}
