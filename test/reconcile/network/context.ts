import { openLog } from "../../../src/base/log.ts";
import type { PeersTold } from "../../../src/cluster/ways.ts";
import type { Home } from "../../../src/host/system/home.ts";
import type { Place } from "../../../src/host/process/place.ts";
import { runWay } from "../../../src/network/run-way.ts";
import type { NetworkContext, NetworkView } from "../../../src/reconcile/network/concern.ts";
import type { State } from "../../../src/store/records.ts";

/** What a concern of the network works with, over a real store; the ways are what the test holds. */
export interface HeldContext extends NetworkContext {
  said: string[];
  /** Why a way cannot be set; undefined: it can. */
  refusal: { host?: Error; peers?: Error };
  host: "open" | "left" | "closed";
  told: PeersTold;
  view: NetworkView;
}

export function contextOf({ state, runtime = "/nowhere" }: { state: State; runtime?: string }): HeldContext {
  const held: Pick<HeldContext, "said" | "refusal" | "host" | "told"> = {
    said: [],
    refusal: {},
    host: "closed",
    told: { state: "closed" },
  };
  const parts = {
    home: { runtime },
    place: { mode: "root" },
    state,
    log: openLog({ write: () => undefined }),
    say: (_subject: string, sentence: string) => void held.said.push(sentence),
    publish: () => Promise.resolve(),
    views: () => [],
    vault: { open: () => "key" },
    hostAccess: {
      look: () => held.host,
      set(on: boolean) {
        if (held.refusal.host !== undefined) return Promise.reject(held.refusal.host);
        held.host = on ? "open" : "closed";
        return Promise.resolve();
      },
    },
    runs: runWay({ runtime } as Home, { mode: "root" } as Place, "fdaa:1:2"),
    peers: {
      told: () => held.told,
      set(wish: Parameters<NetworkContext["peers"]["set"]>[0]) {
        if (held.refusal.peers !== undefined) {
          held.told = { state: "unknown" };
          return Promise.reject(held.refusal.peers);
        }
        held.told = wish === undefined ? { state: "closed" } : { state: "open", ...wish };
        return Promise.resolve();
      },
    },
    view: { mode: "root", found: new Map(), things: new Map(), now: 0 },
  };
  return Object.assign(held, parts) as unknown as HeldContext;
}
