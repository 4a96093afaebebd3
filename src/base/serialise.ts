/** Makes deeds wait for one another: each begins when the one before has ended, however it ended. */
export function serialise(): <T>(deed: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (deed) => {
    const next = last.then(deed, deed);
    last = next.catch(() => undefined);
    return next;
  };
}
