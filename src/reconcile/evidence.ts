import { fail } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { readControlFile } from "../postgres/instance/control-file.ts";
import { formerData, type Keeper, type Proof, prove, proveFarewell } from "../postgres/instance/data-removal.ts";
import { hasData } from "../postgres/instance/directory.ts";
import { standing } from "../postgres/replication/replication.ts";
import { heldIn } from "../postgres/replication/rewind.ts";
import { historyOf } from "../postgres/replication/timeline.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";

/**
 * What is known of a cluster's members at the moment at which the data of one of them goes: asked again, for what the
 * plan saw may be over. Nobody else makes a proof. Rejects with `data_kept` where there is none.
 */
export async function proofFor(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  what: "data" | "former",
): Promise<Proof> {
  const at = memberOf(context, cluster, machine).layout;
  const proof = prove({
    machine: machine.id,
    what,
    held: await heldIn(what === "data" ? at.data : formerData(at)),
    keeper: await keeperOf(context, cluster),
    going: goingBeside(context, cluster, machine),
  });
  return granted(cluster, machine, proof);
}

/** For a member, or a cluster, that its user destroys. */
export async function farewellFor(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<Proof> {
  const machines = (await context.state.machines.list()).filter(
    ({ app, kind, id }) => app === cluster.app && kind === "postgres" && id !== machine.id,
  );
  const present = await Promise.all(
    machines.map(async (other) => ((await hasData(memberOf(context, cluster, other).layout)) ? [other.id] : [])),
  );
  const now = (await context.state.clusters.get(cluster)) ?? cluster;
  const proof = proveFarewell({
    machine: machine.id,
    destroying: machine.phase === "destroying",
    whole: now.phase === "destroying",
    others: present.flat(),
    data: await hasData(memberOf(context, cluster, machine).layout),
  });
  return granted(cluster, machine, proof);
}

/** Does what takes the data of a member away, or may: the data of no other member of the cluster goes meanwhile. */
export async function alone<T>(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  work: () => Promise<T>,
): Promise<T> {
  const beside = goingBeside(context, cluster, machine);
  if (beside.length > 0)
    throw fail("data_kept", {
      machine: machine.id,
      app: cluster.app,
      why: `the data of ${beside.join(", ")} is being replaced`,
    });
  context.going.set(cluster.app, machine.id);
  return work().finally(() => context.going.delete(cluster.app));
}

function goingBeside({ going }: Context, { app }: ClusterRecord, { id }: MachineRecord): string[] {
  const other = going.get(app);
  return other === undefined || other === id ? [] : [other];
}

function granted({ app }: ClusterRecord, { id }: MachineRecord, proof: Proof | string): Proof {
  if (typeof proof === "string") throw fail("data_kept", { machine: id, app, why: proof });
  return proof;
}

/** The leader, if it answers now and takes writes. */
async function keeperOf(context: Context, cluster: ClusterRecord): Promise<Keeper | undefined> {
  const { leader: id } = (await context.state.clusters.get(cluster)) ?? cluster;
  const record = await context.state.machines.get({ id });
  if (record === undefined) return undefined;
  const leader = memberOf(context, cluster, record);
  const session = await context.monitors.session(leader, (await passwordsOf(context, cluster.app)).perch);
  const control = await readControlFile(leader.layout);
  if (session === undefined || control === undefined) return undefined;
  const { recovering, received } = await standing(session);
  if (recovering) return undefined;
  return { machine: id, systemIdentifier: control.systemIdentifier, written: received, ...(await historyOf(session)) };
}
