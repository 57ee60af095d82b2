/** A prop, context value or file that this package cannot work with; the message is one line. */
export class ConfigurationError extends Error {
  public constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}

/** Throws a {@link ConfigurationError} unless the condition holds. */
export function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new ConfigurationError(message);
  }
}
