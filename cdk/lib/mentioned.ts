import { DefaultTokenResolver, IPostProcessor, IResolvable, IResolveContext, Reference, StringConcat, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** The resources that a value refers to, and the value itself, as JSON, as the template will have it. */
export function mentioned(scope: IConstruct, value: unknown): { resources: Set<IConstruct>; text: string } {
  const resolver = new Collector();
  const resolved = Tokenization.resolve(value, { scope, resolver, preparing: true });
  return { resources: resolver.resources, text: JSON.stringify(resolved) ?? 'null' };
}

class Collector extends DefaultTokenResolver {
  public readonly resources = new Set<IConstruct>();

  public constructor() {
    super(new StringConcat());
  }

  public override resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): any {
    if (Reference.isReference(token)) {
      this.resources.add(token.target);
    }
    return super.resolveToken(token, context, postProcessor);
  }
}
