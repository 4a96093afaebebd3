/** One pooler of a cluster as `pgbouncer/` wants it, with the certificate that it serves. */
import type { ClusterRecord, MachineRecord } from "../../../model/records.ts";
import { openConsole, type PoolConsole, resume } from "../../../pgbouncer/console.ts";
import type { PoolLayout } from "../../../pgbouncer/layout.ts";
import { poolerCertificate, type Pooler } from "../../../pgbouncer/server.ts";
import type { Credentials, Subject } from "../../../postgres/tls/certificate.ts";
import { isGood, subjectOf } from "../../../cluster/certificates.ts";
import type { Context } from "../../../cluster/context.ts";
import { poolerLayout, poolPassword } from "../../../cluster/poolers.ts";

/** All that a pooler is run with but its certificate. */
export type Uncertified = Omit<Pooler, "certificate">;

export async function poolerOf(
  context: Context,
  cluster: ClusterRecord,
  id: string,
  config: Pooler["config"],
): Promise<Uncertified> {
  return {
    at: poolerLayout(context, cluster, id),
    place: context.place,
    config,
    password: await poolPassword(context, cluster.app),
  };
}

/**
 * Its port is met by any name of the cluster and at any member's address. The certificate it has; undefined where it
 * must be made.
 */
export async function certificateOf(
  context: Context,
  at: PoolLayout,
  subject: Subject,
): Promise<Credentials | undefined> {
  const served = await poolerCertificate(at);
  return served !== undefined && isGood(served, context.authority, subject) ? served : undefined;
}

export function poolSubject(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
  { address }: Pooler["config"],
): Subject {
  const subject = subjectOf(context, cluster, machines);
  return { ...subject, addresses: [...new Set([...subject.addresses, address])] };
}

export const consoleAt = ({ at, config, password }: Uncertified): Promise<PoolConsole> =>
  openConsole(at, { port: config.port, password });

/** Its clients wait no longer. */
export async function letGo(context: Context, { at }: Uncertified, console: PoolConsole): Promise<void> {
  await resume(console);
  context.flowing.add(at.root);
}
