// Scripted faults: what replaces the reply of the n-th register, subscribe, next or credentials call.
//
// faults.register (subscribe, next, credentials) is an array, one entry a call, or a function of
// {n, name, extension, body}.
// An entry is null (the platform answers), 'drop' (the socket is destroyed), 'hang' (never answered), or an object:
//   delay    milliseconds before anything happens
//   status, headers, body   this reply in place of the platform's; an object as body is sent as JSON
//   raw      these bytes, status line and all, then the connection is closed
//   drop     true: destroy the socket
//   act      true: the platform does its part first, and only its reply is lost or replaced; { act: true, drop: true }
//            for next is a connection that breaks with an event in it

import { setTimeout as sleep } from 'node:timers/promises';

export class Faults {
  #script;
  #counts = new Map();

  constructor(script) {
    for (const name of Object.keys(script)) {
      if (!['register', 'subscribe', 'next', 'initError', 'exitError', 'credentials'].includes(name)) {
        throw new Error(`no fault can be scripted for ${name}`);
      }
    }
    this.#script = script;
  }

  // The fault for this call, or null. n counts the calls of one name, from 0, over all extensions.
  take(name, call) {
    const n = this.#counts.get(name) ?? 0;
    this.#counts.set(name, n + 1);
    const script = this.#script[name];
    const entry = typeof script === 'function' ? script({ n, ...call }) : script?.[n];
    if (entry === null || entry === undefined) return null;
    return typeof entry === 'string' ? { [entry]: true } : entry;
  }
}

// Runs a call under its fault. handle() gives the platform's own reply.
export async function underFault(fault, handle) {
  if (fault === null) return handle();
  if (fault.delay !== undefined) await sleep(fault.delay);
  const replaced = fault.status !== undefined || fault.raw !== undefined || fault.drop || fault.hang;
  if (!replaced) return handle();
  if (fault.act) await handle();
  if (fault.hang) return new Promise(() => {});
  if (fault.drop) return { drop: true };
  if (fault.raw !== undefined) return { raw: fault.raw };
  return { status: fault.status, headers: fault.headers, body: fault.body ?? '' };
}
