/*
 * How long a fault lasts: some calls, or some time from the first one on.
 *
 *   const spell = new Spell({ calls: 3 });
 *   front.fault = spell.fault(refuse(503, 'ServiceUnavailableException'));
 *   spell.over      true once it has acted on three calls
 *   spell.hits      on how many it has acted
 */
export class Spell {
  #end = null;

  constructor({ calls = Infinity, ms = Infinity } = {}) {
    Object.assign(this, { calls, ms, hits: 0 });
  }

  /* Starts the time; without it, it starts with the first call. */
  begin() {
    this.#end ??= performance.now() + this.ms;
  }

  /* Whatever is left of it. */
  end() {
    this.#end = 0;
  }

  get over() {
    return this.hits >= this.calls || (this.#end !== null && performance.now() >= this.#end);
  }

  /* Whether the fault is to act now; counts when it is. */
  take() {
    this.begin();
    if (this.over) {
      return false;
    }
    this.hits += 1;
    return true;
  }

  /* For front.fault and front.connectionFault: acts while the spell lasts. */
  fault(act) {
    return (subject) => this.take() && act(subject);
  }
}
