/*
 * Waits until `check` gives something true and returns it; throws when that has not happened after `ms`.
 * It asks; it never assumes that a time has been long enough. What costs much to ask is asked less often.
 */
export async function until(what, check, ms = 20_000, everyMs = 5) {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await check();
    if (answer) {
      return answer;
    }
    if (performance.now() > end) {
      throw new Error(`${what}: not within ${ms} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/* The promise, or an error after `ms`, whichever comes first. */
export async function within(what, ms, promise) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
