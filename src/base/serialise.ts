/** Makes deeds wait for one another: each begins when the one before has ended, however it ended. */
export function serialise(): <T>(deed: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (deed) => {
    const next = last.then(deed, deed);
    // Its caller hears of it; here only the order counts.
    last = next.catch(() => undefined);
    return next;
  };
}

/** The same for each key; what concerns different keys does not wait. */
export function serialiseBy(): <T>(key: string, act: () => Promise<T>) => Promise<T> {
  const turns = new Map<string, { inTurn: ReturnType<typeof serialise>; waiting: number }>();
  return async (key, act) => {
    const turn = turns.get(key) ?? { inTurn: serialise(), waiting: 0 };
    turns.set(key, turn);
    turn.waiting++;
    try {
      return await turn.inTurn(act);
    } finally {
      if (--turn.waiting === 0) turns.delete(key);
    }
  };
}
