/**
 * Which of the key files is the key, and what becomes of the other. While a key is being changed there are two,
 * `secret.key` and `secret.key.next`, and the store says which of them what is sealed needs: it has one or the other,
 * never both. Pure.
 */
export interface KeysFound {
  /** Ids; undefined where there is no such file. */
  now: string | undefined;
  next: string | undefined;
  /** What the store says it is sealed with; undefined: nothing was ever, or by a Perch that did not write it down. */
  needed: string | undefined;
  /** There is something to open. */
  sealed: boolean;
}

/**
 * make: a new one. forward: the next becomes the key. back: the next was never used, and goes. missing, wrong: nothing
 * here opens what is sealed.
 */
export type KeyChoice = "keep" | "make" | "forward" | "back" | "missing" | "wrong";

export function chooseKey({ now, next, needed, sealed }: KeysFound): KeyChoice {
  if (needed !== undefined && next === needed) return "forward";
  const fits = now !== undefined && (needed === undefined || needed === now || !sealed);
  if (fits) return next === undefined ? "keep" : "back";
  if (now !== undefined) return "wrong";
  return sealed ? "missing" : "make";
}
