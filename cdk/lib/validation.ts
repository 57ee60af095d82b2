/**
 * A prop, context value or file that this package cannot work with; the message is one line. Other languages
 * than TypeScript get their jsii runtime's error with this message.
 *
 * @jsii ignore
 */
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
