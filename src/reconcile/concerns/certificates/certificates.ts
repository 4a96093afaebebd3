import { within } from "../../../base/deadline.ts";
import { certify, isCertified } from "../../../cluster/certificates.ts";
import { type Concern, concernOf } from "../../../cluster/concern.ts";
import { type Context, memberOf, passwordsOf } from "../../../cluster/context.ts";
import type { ClusterRecord, MachineRecord } from "../../../model/records.ts";
import { reload } from "../../../postgres/instance/server.ts";
import { readAt, writtenAt } from "../../../postgres/instance/told.ts";
import { machineOf } from "../../members.ts";
import { type CertificateFacts, type CertificateStep, forCertificates } from "./plan.ts";

/** So long a server is asked; else it is asked at the next look. Milliseconds. */
const patienceMs = 500;

/**
 * The certificates that members serve: renewed in time, for one more member, after a change of authority, and where
 * another one was given for a public ingress. No server restarts for that: it reads its files, and sessions that are
 * open stay. A member that starts gets its certificate before that, by the step that starts it.
 */
const certificates: Concern<CertificateStep, CertificateFacts> = {
  name: "certificate",
  observe: async (context, cluster, _leader, { machines, since }) =>
    new Map(
      await Promise.all(
        machines
          .filter(({ process }) => process !== undefined)
          .map(async (machine) => {
            const { due, unread } = await look(context, cluster, machine, machines);
            return [machine.id, { due, unreadSince: since(machine.id, "unread", unread) }] as const;
          }),
      ),
    ),
  plan: (view, facts) => (facts === undefined ? [] : forCertificates(view, facts)),
  async apply({ what, machine: id }, context, { cluster }) {
    const machine = await machineOf(context, id);
    const member = memberOf(context, cluster, machine);
    if (what === "renew") await certify(context, cluster, machine);
    const at = await writtenAt(member.layout);
    if (await reload(member)) told.set(member.layout.root, at);
  },
  undo: () => Promise.resolve(false),
};
export const certificateConcern = concernOf(certificates);

/**
 * Member, by its directory → the time of the files that it was told of. A server is asked only where they are others:
 * by a clock that was set back, they would be newer than what it read for long.
 */
const told = new Map<string, number>();

async function look(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  members: readonly MachineRecord[],
): Promise<{ due: boolean; unread: boolean }> {
  const due = !(await isCertified(context, cluster, machine, members));
  const member = memberOf(context, cluster, machine);
  const { root } = member.layout;
  const at = await writtenAt(member.layout);
  if (told.get(root) === at) return { due, unread: false };
  const { perch } = await passwordsOf(context, cluster.app);
  const session = await context.monitors.session(member, perch);
  // Asked again at the next look.
  const read = session && (await within(patienceMs, readAt(session)).catch(() => undefined));
  if (read !== undefined && read >= at) told.set(root, at);
  return { due, unread: read !== undefined && read < at };
}
