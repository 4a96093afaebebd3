import { portableHost } from "./address.ts";
import { leaderPort, poolPort } from "./ports.ts";
import type { AttachmentRecord } from "./records.ts";
import { databaseUrl } from "./secret.ts";

/**
 * The URL of an attachment: what is in the secret that the app gets, and what is told of it. One owner for all of it.
 */

/** The name by which apps know a cluster. */
export const clusterHost = (cluster: string): string => `${cluster}.internal`;

/** The port of the URL: the leader's, or that of its pooler. */
export const urlPort = ({ pooled }: { pooled?: true }): number => (pooled === true ? poolPort : leaderPort);

/** `login`: as whom the app comes in; that changes with each rotation. */
export function attachmentUrl(attachment: AttachmentRecord, password: string, login = attachment.user): string {
  const { scheme, cluster, database } = attachment;
  return databaseUrl({
    scheme,
    user: login,
    password,
    host: clusterHost(cluster),
    port: urlPort(attachment),
    database,
  });
}

/** Whether a value is still the URL that this attachment set, and not something that was set over it by hand. */
export const leadsTo = (value: string, { cluster, user, login = user }: AttachmentRecord): boolean =>
  value.includes(`://${encodeURIComponent(login)}:`) && value.includes(`@${clusterHost(cluster)}:`);

/**
 * In portable mode there are no names: the URL an attachment set leads to 127.0.0.1 and the relay's port while the mode
 * lasts. A value that is not the attachment's own URL any more (set again by hand) is left as it is.
 */
export function portableUrl(value: string, attachment: AttachmentRecord, relayPort: number): string {
  const at = `@${clusterHost(attachment.cluster)}:${leaderPort}/`;
  return value.startsWith(`${attachment.scheme}://`) && value.includes(at)
    ? value.replace(at, `@${portableHost}:${relayPort}/`)
    : value;
}
