/**
 * Milliseconds by a clock that nobody can set, as many as the epoch's when this process began. What lies in the past or
 * is due later is measured by it: by the machine's own clock, a step that shall be tried again in a second would wait
 * an hour after the clock was set back by one.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
