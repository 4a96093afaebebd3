import { readText } from "../host/files.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { issueCertificate, renewalDue, type Subject } from "../postgres/certificate.ts";
import { certificateFiles, writeCertificates } from "../postgres/configure.ts";
import type { Member } from "../postgres/directory.ts";
import { type GivenCertificate, readGiven } from "../postgres/given-certificate.ts";
import { type Context, hostOf, memberOf } from "./context.ts";

/**
 * Which certificate a member serves: one of the network's own authority, or the one that was given for its cluster's public door, as it lies in its files now: a
 * renewed one is served as soon as it is seen. A server has one certificate, for all who come.
 */
export async function certify(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<boolean> {
  const member = memberOf(context, cluster, machine);
  const { authority } = context;
  const due = await whatIsDue(context, cluster, machine, member);
  if (due === undefined) return false;
  if ("root" in due) return writeCertificates(member, { ...due, authority: `${authority.certificate.trimEnd()}\n${due.root}` });
  return writeCertificates(member, { ...(await issueCertificate(authority, due)), authority: authority.certificate });
}

/** Whether the member should serve another certificate than it does. */
export const certificateDue = async (context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<boolean> =>
  (await whatIsDue(context, cluster, machine, memberOf(context, cluster, machine))) !== undefined;

async function whatIsDue(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  member: Member,
): Promise<GivenCertificate | Subject | undefined> {
  const at = certificateFiles(member.layout);
  const [certificate, key] = await Promise.all([readText(at.certificate), readText(at.key)]);
  const { exposure } = cluster;
  if (exposure?.files !== undefined) {
    const { files, hostname } = exposure;
    const quiet = (path: string) => readText(path).catch(() => undefined);
    if (certificate !== undefined && certificate === (await quiet(files.certificate)) && key === (await quiet(files.key))) {
      context.complaints.delete(cluster.app);
      return undefined;
    }
    const given = await readGiven(files, hostname).catch((error: unknown) => {
      complain(context, cluster.app, error);
      return undefined;
    });
    if (given !== undefined) return given;
    // What it serves is better than nothing.
    if (certificate !== undefined) return undefined;
  }
  const subject = subjectOf(context, cluster, machine);
  return certificate !== undefined && !renewalDue(certificate, context.authority.certificate, subject) ? undefined : subject;
}

/** Said once, not at every look. */
function complain({ complaints, say }: Context, app: string, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  if (complaints.get(app) === why) return;
  complaints.set(app, why);
  say(app, `the certificate that was given for ${app} cannot be used, and the one of before is served on: ${why}`);
}

/** Every name under which a client may meet this member, with sslmode=verify-full: as the leader it answers on 5432 of every member's own name, too. */
function subjectOf({ place }: Context, cluster: ClusterRecord, machine: MachineRecord): Subject {
  const app = `${cluster.app}.internal`;
  const names = [app, `*.${app}`, `*.vm.${app}`, `*.nearest.of.${app}`, `postgres.process.${app}`, `${cluster.app}.flycast`, "localhost"];
  return {
    commonName: app,
    names: cluster.exposure === undefined ? names : [...names, cluster.exposure.hostname],
    addresses: [hostOf(place, machine), "127.0.0.1", "::1"],
  };
}
