import { counted } from "../base/count.ts";
import type { Log } from "../base/log.ts";
import { succeeds } from "../host/process/command.ts";
import { removeTree } from "../host/files/files.ts";
import { inhabitants } from "../host/process/inhabitants.ts";
import { awaitEnd, endProcess, isAlive, signalProcess } from "../host/process/process.ts";
import { stop as stopServer } from "../postgres/instance/server.ts";
import { type Context, memberOf } from "../cluster/context.ts";
import type { Clusters } from "../reconcile/clusters.ts";
import type { OpenNetwork } from "./open-network.ts";

export interface Running {
  context: Context;
  clusters: Clusters;
  open: OpenNetwork;
  log: Log;
}

/** Ends every process of the network and takes the network away. Data and wishes stay: `perch up` brings all back. */
export async function shutDown(running: Running, progress: (sentence: string) => void): Promise<void> {
  const { context, clusters, open, log } = running;
  const { namespace } = open;
  const { state, home } = context;
  await clusters.stop();
  await Promise.all([open.doors.stop(), open.wireguard.stop()]);
  const machines = await state.machines.list();

  const runs = machines.filter((machine) => machine.kind === "run" && machine.process !== undefined);
  if (runs.length > 0) progress(`ending ${counted(runs.length, "running command")}`);
  await Promise.all(
    runs.map(async (run) => {
      // The CLI hands SIGTERM to its command and reports how that ended.
      if (run.process !== undefined && !(await endProcess(run.process, 5_000)))
        log.warn({ machine: run.id }, "a run did not end");
      // The next perchd finds it ended, too.
      await state.machines
        .remove(run)
        .catch((error: unknown) => log.warn({ err: error, machine: run.id }, "an ended run is still on record"));
    }),
  );

  await context.consoles.close();
  await context.monitors.close();
  for (const cluster of await state.clusters.list()) {
    const members = machines.filter((machine) => machine.app === cluster.app && machine.kind === "postgres");
    progress(`stopping cluster ${cluster.app} (${counted(members.length, "member")})`);
    await Promise.all(members.map((machine) => stopServer(memberOf(context, cluster, machine), "fast")));
  }
  await open.closeRelays();
  await open.nameServer?.stop();
  if (context.place.mode !== "portable") progress("taking the network away");
  await namespace.tend().catch((error: unknown) => log.warn({ err: error }, "the namespace cannot be entered"));
  await endInhabitants(context);
  await namespace.remove();
  await removeTree(home.runtime);
}

/**
 * Whoever is still inside: commands that left their `perch run` behind. The anchor of a user namespace goes with the
 * namespace.
 */
async function endInhabitants({ place, log }: Context): Promise<void> {
  if (place.mode === "portable") return;
  // Somebody took its name away, or ended its anchor: nobody gets in, and what is known by pid was ended above.
  if (!(await canEnter(place)))
    return log.warn("the namespace is gone: processes that are still inside cannot be found");
  const found = await inhabitants((argv) => place.tool(argv));
  for (const inhabitant of found) await signalProcess(inhabitant, "SIGTERM");
  for (const inhabitant of found)
    if (!(await awaitEnd(inhabitant, 2_000)) && (await isAlive(inhabitant))) await signalProcess(inhabitant, "SIGKILL");
}

async function canEnter(place: Context["place"]): Promise<boolean> {
  try {
    return await succeeds(place.tool(["true"]));
  } catch {
    return false; // there is no anchor to enter by
  }
}
