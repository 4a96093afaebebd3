import type { DoorLimits } from "../../model/exposure.ts";

/**
 * Who may come in by a public door: how many at once, how many a second, and nobody for a while who guessed passwords.
 * Sources are names to it. Pure.
 */
export type Refusal = "full" | "too many" | "too quick" | "shut out";

export interface Gate {
  /** Counts the connection in, or says why not. What was counted in must be counted out by `left`. */
  admit(source: string): Refusal | undefined;
  left(source: string): void;
  /** A wrong password; gives until when the source is shut out now, in milliseconds of the clock, if it is. */
  failed(source: string): number | undefined;
  shut(): { source: string; until: number }[];
  setLimits(limits: DoorLimits): void;
  readonly open: number;
}

interface Source {
  open: number;
  /** How many may come at once, as of `at`: refilled by time. */
  tokens: number;
  at: number;
  failures: number[];
  shutUntil: number;
}

/**
 * Sources that are remembered; for one more, one that is gone is forgotten. Whoever has a /48 of IPv6 has more of them
 * than that.
 */
const remembered = 20_000;
/** So few are looked at for that: who comes in great numbers shall not cost more than who comes alone. */
const lookedAt = 8;

export function gate(first: DoorLimits, now: () => number): Gate {
  const sources = new Map<string, Source>();
  let round = sources.keys();
  let limits = first;
  let open = 0;

  function find(name: string): Source {
    const found = sources.get(name);
    if (found !== undefined) return found;
    if (sources.size >= remembered) forgetOne();
    const made: Source = { open: 0, tokens: limits.perSource, at: now(), failures: [], shutUntil: 0 };
    sources.set(name, made);
    return made;
  }

  /** Goes round all of them; who is inside or shut out is kept. */
  function forgetOne(): void {
    for (let looked = 0; looked < lookedAt; looked++) {
      const { value: name, done } = round.next();
      if (done === true) round = sources.keys();
      const source = name === undefined ? undefined : sources.get(name);
      if (name === undefined || source === undefined || source.open > 0 || source.shutUntil > now()) continue;
      sources.delete(name);
      return;
    }
  }

  return {
    admit(name) {
      const source = find(name);
      const at = now();
      source.tokens = Math.min(limits.perSource, source.tokens + ((at - source.at) / 1_000) * limits.perSecond);
      source.at = at;
      if (source.shutUntil > at) return "shut out";
      if (source.tokens < 1) return "too quick";
      if (open >= limits.total) return "full";
      if (source.open >= limits.perSource) return "too many";
      source.tokens -= 1;
      source.open += 1;
      open += 1;
      return undefined;
    },
    left(name) {
      find(name).open -= 1;
      open -= 1;
    },
    failed(name) {
      const source = find(name);
      const at = now();
      source.failures = [...source.failures.filter((failure) => at - failure < limits.failuresWithin * 1_000), at];
      if (source.failures.length < limits.failures) return undefined;
      source.failures = [];
      source.shutUntil = at + limits.shutFor * 1_000;
      return source.shutUntil;
    },
    shut: () =>
      [...sources]
        .filter(([, { shutUntil }]) => shutUntil > now())
        .map(([source, { shutUntil }]) => ({ source, until: shutUntil })),
    setLimits(next) {
      limits = next;
    },
    get open() {
      return open;
    },
  };
}
