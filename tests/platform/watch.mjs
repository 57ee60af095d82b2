// Waiting for a fact instead of for a time: whoever changes something calls notify(),
// whoever needs a fact awaits when(). A failure ends every wait, now and later.

export class Watch {
  #waits = new Set();
  #failure = null;

  get failure() {
    return this.#failure;
  }

  notify() {
    for (const wait of [...this.#waits]) if (wait.fact()) wait.settle();
  }

  // The first failure sticks: what follows is usually its consequence.
  fail(error) {
    this.#failure ??= error;
    for (const wait of [...this.#waits]) wait.settle(this.#failure);
  }

  // Resolves when fact() holds. After timeoutMs rejects with late(), an Error.
  when(fact, timeoutMs = Infinity, late = () => new Error(`not within ${timeoutMs} ms`)) {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (fact()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wait = { fact, timer: null };
      wait.settle = (error) => {
        clearTimeout(wait.timer);
        this.#waits.delete(wait);
        if (error) reject(error);
        else resolve();
      };
      if (timeoutMs !== Infinity) wait.timer = setTimeout(() => wait.settle(late()), Math.max(0, timeoutMs));
      this.#waits.add(wait);
    });
  }

  // Resolves with whether fact() came true in time; rejects on failure only.
  async holds(fact, timeoutMs) {
    const late = new Error('late');
    try {
      await this.when(fact, timeoutMs, () => late);
      return true;
    } catch (error) {
      if (error !== late) throw error;
      return false;
    }
  }
}
