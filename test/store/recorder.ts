/** Calls back are recorded, and waited for by their number: a watch has no other end that could be asked for. */
export interface Recorder<T> {
  readonly seen: T[];
  record(item: T): void;
  /** All that was seen, once there are `count` of them. */
  until(count: number): Promise<T[]>;
}

export function recorder<T>(): Recorder<T> {
  const seen: T[] = [];
  const waiting = new Set<() => void>();
  return {
    seen,
    record(item) {
      seen.push(item);
      for (const look of waiting) look();
    },
    until: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (seen.length < count) return;
          waiting.delete(look);
          resolve([...seen]);
        };
        waiting.add(look);
        look();
      }),
  };
}
