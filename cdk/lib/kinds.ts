import { Duration, RemovalPolicy, Size, Token } from 'aws-cdk-lib';
import { requireThat } from './validation';

// TypeScript checks what props are given; JavaScript and casts do not.

/** What a value has to be. */
export interface Kind {
  readonly is: (value: any) => boolean;
  readonly what: string;
  /** Whether a token may stand for it, which the template then hands on. */
  readonly tokens?: boolean;
}

export const TEXT: Kind = { is: (value) => typeof value === 'string', what: 'a text', tokens: true };
export const NUMBER: Kind = { is: (value) => typeof value === 'number', what: 'a number', tokens: true };
export const FLAG: Kind = { is: (value) => typeof value === 'boolean', what: 'true or false, without quotation marks' };
export const CALLBACK: Kind = { is: (value) => typeof value === 'function', what: 'a function' };
export const DURATION: Kind = { is: (value) => value instanceof Duration, what: 'a Duration, as Duration.millis(500)' };
export const SIZE: Kind = { is: (value) => value instanceof Size, what: 'a Size, as Size.mebibytes(1)' };
export const OPTIONS: Kind = { is: (value) => typeof value === 'object' && !Array.isArray(value), what: 'an object of options, {} for the defaults' };

/** A list of values of a kind. */
export function listOf(kind: Kind): Kind {
  const isOne = (value: unknown) => kind.is(value) || isToken(value, kind);
  return { is: (value) => Array.isArray(value) && value.every(isOne), what: `a list, each one ${kind.what}`, tokens: kind.tokens };
}

/** One of an enum's values. */
export function oneOf(words: Record<string, string>): Kind {
  const values = Object.values(words);
  return { is: (value) => values.includes(value), what: values.join(', '), tokens: true };
}

/** An object that has a member of this name: two copies of a library may both have made it. */
export function having(member: string, what: string): Kind {
  return { is: (value) => typeof value === 'object' && member in value, what };
}

export const CONSTRUCT = having('node', 'a construct');
export const REMOVAL_POLICY = known(oneOf(RemovalPolicy));
export const KEY = having('keyArn', 'a kms.IKey, as Key.fromKeyArn() makes it');

/** The same of what decides what the template has, so that it has to be known when that is made. */
export function known(kind: Kind): Kind {
  return { ...kind, tokens: false };
}

function isToken(value: unknown, kind: Kind): boolean {
  return kind.tokens === true && Token.isUnresolved(value);
}

/** Refuses a value of another kind; tokens for what is only handed on, and what is left out, are let through. */
export function requireKind(name: string, value: unknown, kind: Kind): void {
  requireThat(
    value === undefined || isToken(value, kind) || (value !== null && !Token.isUnresolved(value) && kind.is(value)),
    `${name}: ${kind.what}, not ${shown(value)}`,
  );
}

/** The same for props by their names. */
export function requireKinds(props: object, kinds: Record<string, Kind>, before = ''): void {
  for (const [name, kind] of Object.entries(kinds)) {
    requireKind(before + name, (props as Record<string, unknown>)[name], kind);
  }
}

/** A value as an error shows it: constructs refer to each other in circles, and are named only. */
export function shown(value: unknown): string {
  if (Token.isUnresolved(value)) {
    return 'a token, which is known when it is deployed';
  }
  const plain = typeof value !== 'object' || value === null || Array.isArray(value) || value.constructor === Object;
  if (!plain) {
    return `a ${value.constructor?.name ?? 'object'}`;
  }
  try {
    return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    return 'such an object';
  }
}
