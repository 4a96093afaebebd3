import type { Hands } from "./hands.ts";
import { failOver } from "./local/failover.ts";
import { switchOver } from "./local/switchover.ts";
import type { Change } from "./situation.ts";

/** Does a change of leadership, from its first deed to its last, and says how long nobody led. May be repeated after a perchd that was killed in it. */
export async function changeLeader(hands: Hands, change: Change): Promise<void> {
  if (change.kind === "switchover") {
    const ms = await switchOver(hands, change);
    hands.say(`machine ${change.candidates[0] ?? ""} leads ${hands.app} in place of ${change.from}; connections waited ${Math.round(ms)} ms`);
    await hands.reckon(change.candidates[0] ?? "", change.from);
    return;
  }
  const { to, ms } = await failOver(hands, change);
  hands.say(`machine ${to} leads ${hands.app} in place of ${change.from}, which is lost; nobody led for ${Math.round(ms)} ms from its end on`);
  await hands.reckon(to, change.from);
}
