import type { Change } from "../../cluster/situation.ts";
import type { Engine } from "../engine.ts";
import type { ClusterOperations } from "../operations.ts";
import { candidates } from "./candidates.ts";
import { decide } from "./cases.ts";
import { failOver } from "./failover.ts";
import { switchOver } from "./switchover.ts";

/** The engine of clusters whose members all run on this host. */
export const localEngine: Engine = { decide, candidates, changeLeader };

async function changeLeader(operations: ClusterOperations, change: Change): Promise<void> {
  if (change.kind === "switchover") {
    const ms = await switchOver(operations, change);
    const [to = ""] = change.candidates;
    operations.say(
      `machine ${to} leads ${operations.app} in place of ${change.from}; connections waited ${Math.round(ms)} ms`,
    );
    await operations.reckon(to, change.from);
    return;
  }
  const { to, ms } = await failOver(operations, change);
  operations.say(
    `machine ${to} leads ${operations.app} in place of ${change.from}, which is lost; there was no leader for ${Math.round(ms)} ms`,
  );
  await operations.reckon(to, change.from);
}
