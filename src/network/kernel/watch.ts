/**
 * Hears from the kernel that something changed inside the namespace, so that it need not be read again and again: `ip`
 * and `nft` have a `monitor` each. Where one does not run, nothing is heard, and the supervisor looks at every turn.
 */
import { steadyNow } from "../../base/clock.ts";
import type { Place } from "../../host/process/place.ts";
import { type Listener, startListener } from "../../host/process/listener.ts";

export interface KernelWatch {
  /**
   * Whether every change since the last turn was heard. What does not run is started: from the turn after that it can
   * be relied on.
   */
  hears(): boolean;
  stop(): void;
}

const monitors = [
  ["ip", "-oneline", "monitor", "link", "address", "route", "rule"],
  ["nft", "monitor"],
];
/** As long as a program takes to start listening, and longer. */
const startsWithinMs = 3_000;

export function watchKernel(place: Pick<Place, "tool">, heard: () => void): KernelWatch {
  const running = new Map<string, { listener: Listener; since: number }>();
  let stopped = false;
  const start = (argv: readonly string[], key: string) =>
    running.set(key, { listener: startListener((words) => place.tool([...words]), argv, heard), since: steadyNow() });
  return {
    hears() {
      let all = !stopped;
      for (const argv of stopped ? [] : monitors) {
        const key = argv.join(" ");
        const now = running.get(key);
        if (now !== undefined && now.listener.hears()) {
          all &&= steadyNow() - now.since > startsWithinMs;
          continue;
        }
        now?.listener.kill();
        start(argv, key);
        all = false;
      }
      return all;
    },
    stop() {
      stopped = true;
      for (const { listener } of running.values()) listener.kill();
    },
  };
}
