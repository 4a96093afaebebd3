import { fail } from "../errors/error.ts";
import type { Log } from "../base/log.ts";
import { type Loop, type LoopWork, startLoop } from "./loop.ts";
import type { ClusterLoops } from "../cluster/cluster-loop.ts";

/** A loop begins with its cluster's record and ends with it. */
export interface Clusters extends ClusterLoops {
  stop(): Promise<void>;
}

export function clusterLoops(work: (app: string) => LoopWork, log: Log): Clusters {
  const loops = new Map<string, Loop>();
  return {
    open(app) {
      const loop = startLoop(work(app), log);
      loops.set(app, loop);
      loop.watch({
        onPass: (view) => {
          if (view === undefined && loops.get(app) === loop) loops.delete(app);
        },
      });
      return loop;
    },
    require(app) {
      const loop = loops.get(app);
      if (loop === undefined) throw fail("not_a_cluster", { app });
      return loop;
    },
    find: (app) => loops.get(app),
    views() {
      const views = [...loops.values()].map((loop) => loop.view());
      return views.every((view) => view !== undefined) ? views : undefined;
    },
    member(machine) {
      for (const loop of loops.values()) {
        const view = loop.view();
        const member = view?.members.find((candidate) => candidate.record.id === machine);
        if (view !== undefined && member !== undefined) return { loop, view, member };
      }
      return undefined;
    },
    async stop() {
      await Promise.all([...loops.values()].map((loop) => loop.stop()));
    },
  };
}
