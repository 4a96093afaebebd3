/**
 * Waiting with an end: nothing in Perch waits for ever, and nothing sleeps where a question could be asked.
 *
 * The room `base/` holds such leaf things, one a file, that any room but the pure ones may use. It knows nothing of
 * ours: no noun, no error of the register, no room. Start with whichever you need.
 */

/** Resolves after `ms` milliseconds, or at once (rejecting with its reason) when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Asks every `everyMs` until the answer is defined, or gives undefined after `withinMs`. */
export async function ask<T>(
  question: () => Promise<T | undefined> | T | undefined,
  at: { everyMs: number; withinMs: number; signal?: AbortSignal },
): Promise<T | undefined> {
  const end = performance.now() + at.withinMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) return undefined;
    await pause(at.everyMs, at.signal);
  }
}

/**
 * The promise's value, or undefined when it takes longer than `ms`. The promise itself goes on; what it rejects with
 * later is dropped.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  // It was late: who waited has gone on.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
