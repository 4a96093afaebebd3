import { openConsole, type PoolConsole } from "../pgbouncer/console.ts";
import type { PoolLayout } from "../pgbouncer/layout.ts";

/** A connection held open to the console of every pooler that runs: its closing tells of the pooler's death. */
export interface Consoles {
  /** Undefined when it does not answer. */
  hold(at: PoolLayout, login: { port: number; password: string }, app: string): Promise<PoolConsole | undefined>;
  close(): Promise<void>;
}

export function consoles(onEnd: (app: string) => void): Consoles {
  const held = new Map<string, Promise<PoolConsole>>();

  function open(at: PoolLayout, login: { port: number; password: string }, app: string): Promise<PoolConsole> {
    const opened = openConsole(at, login);
    held.set(at.root, opened);
    const forget = () => {
      if (held.get(at.root) === opened) held.delete(at.root);
    };
    opened.then(
      (console) =>
        void console.ended.then(() => {
          forget();
          onEnd(app);
        }),
      forget,
    );
    return opened;
  }

  return {
    // A console that does not answer is opened again at the next look.
    hold: (at, login, app) => (held.get(at.root) ?? open(at, login, app)).catch(() => undefined),
    async close() {
      await Promise.allSettled([...held.values()].map(async (opened) => (await opened).close()));
    },
  };
}
