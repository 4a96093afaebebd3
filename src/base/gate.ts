/**
 * Many may pass at once; one that must be alone waits for those who are on their way, and whoever comes meanwhile waits
 * for it.
 */
export interface Gate {
  pass<T>(deed: () => Promise<T>): Promise<T>;
  alone<T>(deed: () => Promise<T>): Promise<T>;
}

export function gate(): Gate {
  const passing = new Set<Promise<unknown>>();
  let shut: Promise<unknown> | undefined;

  return {
    async pass(deed) {
      while (shut !== undefined) await shut;
      const mine = deed();
      const quiet = mine.then(
        () => undefined,
        () => undefined,
      );
      passing.add(quiet);
      return mine.finally(() => passing.delete(quiet));
    },
    async alone(deed) {
      while (shut !== undefined) await shut;
      const mine = Promise.all(passing).then(deed);
      const over = mine.then(
        () => undefined,
        () => undefined,
      );
      shut = over;
      return mine.finally(() => (shut = undefined));
    },
  };
}
