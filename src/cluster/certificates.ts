import { serialiseBy } from "../base/serialise.ts";
import { clusterHost } from "../model/attachment-url.ts";
import type { Home } from "../host/system/home.ts";
import { readText } from "../host/files/files.ts";
import type { Exposure } from "../model/exposure.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import type { Authority } from "../postgres/tls/authority.ts";
import type { Credentials, Subject } from "../postgres/tls/certificate.ts";
import { readCertificate, writeCertificates } from "../postgres/instance/configure.ts";
import { layout, type Member } from "../postgres/instance/directory.ts";
import { acmeFiles } from "../postgres/tls/acme-directory.ts";
import { type GivenCertificate, readGiven } from "../postgres/tls/given-certificate.ts";
import { type Context, hostOf, memberOf } from "./context.ts";

/**
 * Which certificate a member serves: one of the network's own authority, or the one that was given for its cluster's
 * public door, as it lies in its files now: a renewed one is served as soon as it is seen. A server has one
 * certificate, for all who come.
 */
export const certify = (context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<boolean> =>
  inTurn(machine.id, () => write(context, cluster, machine));

/** A start and a renewal write the same files. */
const inTurn = serialiseBy();

async function write(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<boolean> {
  const member = memberOf(context, cluster, machine);
  const { authority, state } = context;
  const members = (await state.machines.list()).filter(({ app, kind }) => app === cluster.app && kind === "postgres");
  const due = await whatIsDue(context, cluster, member, members);
  if (due === undefined) return false;
  if ("root" in due) return writeCertificates(member, { ...due, authority: `${authority.trusted}${due.root}` });
  return writeCertificates(member, { ...(await authority.issue(due)), authority: authority.trusted });
}

/** What a member has to serve; undefined where it has no certificate or key of its own. */
export const servedBy = (home: Home, machine: string): ReturnType<typeof readCertificate> =>
  readCertificate(layout(home, machine));

type Files = NonNullable<Exposure["files"]>;

/** The files of a public name: those below an ACME client's directory, or those that were named. Whether they serve. */
export async function requireGiven(hostname: string, given: string | Files): Promise<Files> {
  const files = typeof given === "string" ? await acmeFiles(given, hostname) : given;
  await readGiven(files, hostname);
  return files;
}

/** Whether the member has the certificate it should serve, now that these are the members. */
export const isCertified = async (
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  members: readonly MachineRecord[],
): Promise<boolean> => (await whatIsDue(context, cluster, memberOf(context, cluster, machine), members)) === undefined;

async function whatIsDue(
  context: Context,
  cluster: ClusterRecord,
  member: Member,
  members: readonly MachineRecord[],
): Promise<GivenCertificate | Subject | undefined> {
  const served = await readCertificate(member.layout);
  const { exposure } = cluster;
  if (exposure?.files !== undefined) {
    const { files, hostname } = exposure;
    // A file that cannot be read is not the one it should be: it is written again.
    const quiet = (path: string) => readText(path).catch(() => undefined);
    if (
      served !== undefined &&
      served.certificate === (await quiet(files.certificate)) &&
      served.key === (await quiet(files.key))
    ) {
      context.complaints.delete(cluster.app);
      return undefined;
    }
    const given = await readGiven(files, hostname).catch((error: unknown) => {
      complain(context, cluster.app, error);
      return undefined;
    });
    if (given !== undefined) return given;
    // What it serves is better than nothing.
    if (served !== undefined) return undefined;
  }
  const subject = subjectOf(context, cluster, members);
  const good =
    served !== undefined &&
    served.authority === context.authority.trusted &&
    isGood(served, context.authority, subject);
  return good ? undefined : subject;
}

/**
 * What was found good is not looked at again for an hour: every look of the loop asks, and reading a certificate and a
 * key takes longer than all else of it.
 */
export function isGood(served: Credentials, authority: Pick<Authority, "mark" | "due">, subject: Subject): boolean {
  const what = [served.certificate, served.key, authority.mark, JSON.stringify(subject)].join("\n");
  if ((good.get(what) ?? 0) > Date.now()) return true;
  good.delete(what);
  if (authority.due(served, subject)) return false;
  if (good.size > 500) good.clear();
  good.set(what, Date.now() + 3_600_000);
  return true;
}

const good = new Map<string, number>();

/** Said once, not at every look. */
function complain({ complaints, say }: Context, app: string, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  if (complaints.get(app) === why) return;
  complaints.set(app, why);
  say(app, `the certificate that was given for ${app} cannot be used, and the one of before is served on: ${why}`);
}

/**
 * Every name and address under which a client may meet a member, with sslmode=verify-full: the leader answers on 5432
 * of all, and any of them may become it.
 */
export function subjectOf({ place }: Context, cluster: ClusterRecord, members: readonly MachineRecord[]): Subject {
  const app = clusterHost(cluster.app);
  const names = [
    app,
    `*.${app}`,
    `*.vm.${app}`,
    `*.nearest.of.${app}`,
    `postgres.process.${app}`,
    `${cluster.app}.flycast`,
    "localhost",
  ];
  return {
    commonName: app,
    names: cluster.exposure === undefined ? names : [...names, cluster.exposure.hostname],
    addresses: [...new Set([...members.map((machine) => hostOf(place, machine)), "127.0.0.1", "::1"])],
  };
}
