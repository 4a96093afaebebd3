import { distributionUserName, serverUserName } from "../host/system/users.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { changeUser } from "../postgres/instance/change-user.ts";
import { runsProgram } from "../model/setting-programs.ts";
import { type Context, memberOf } from "../cluster/context.ts";

/**
 * Before a member is started, or its stopped data is worked on: what an older Perch ran as the distribution's
 * `postgres` runs as Perch's own user from then on. Nothing is stopped for it. A member that cannot move runs on as it
 * did, and says why.
 */
export async function moveToOwnUser(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const { place, staying, say } = context;
  const member = memberOf(context, cluster, machine);
  if (place.former === undefined) return;
  const runs =
    member.place.successor === undefined
      ? undefined
      : Object.entries(cluster.settings).find(([name, value]) => runsProgram(name, value))?.[0];
  const outcome =
    runs === undefined
      ? await changeUser({ ...member, place })
      : { stays: `its setting ${runs} runs a program as that user` };
  if (outcome === "moved")
    say(
      cluster.app,
      `machine ${machine.id} runs as the user ${serverUserName} from now on; its files were those of ${distributionUserName}`,
    );
  if (typeof outcome === "string" || staying.get(machine.id) === outcome.stays)
    return void (typeof outcome === "string" && staying.delete(machine.id));
  staying.set(machine.id, outcome.stays);
  const { data, log, tls } = member.layout;
  say(
    cluster.app,
    `machine ${machine.id} runs as the user ${distributionUserName} still: ${outcome.stays}. To move it by hand: perch machine stop ${machine.id} && chown -R ${serverUserName}: ${[data, log, tls].join(" ")} && perch machine start ${machine.id}`,
  );
}
