import type { Answer } from "../../client/client.ts";
import { fail } from "../../errors/error.ts";
import { identifierOfApp } from "../../model/name.ts";
import type { Daemon } from "../command.ts";
import { examplesOwn, type Own } from "./own.ts";

const poolOf = ({ url, preparedStatements }: Answer<"listAttachments">[number]): Pick<Own, "pool"> =>
  /@[^/]*:6432\//.test(url) ? { pool: { preparedStatements } } : {};

/** The app's own names, as perchd knows them; where it is not attached yet, those that `attach` would give it. */
export async function findOwn(daemon: Daemon, app: string, variable: string | undefined): Promise<Own> {
  const { clusters, apps } = await daemon.call("status", {});
  if (!apps.some(({ name }) => name === app)) throw fail("app_not_found", { app });
  const found = clusters.flatMap((cluster) =>
    cluster.attachments
      .filter((at) => at.app === app && (variable === undefined || at.variable === variable))
      .map((at) => ({ cluster, at })),
  );
  const [first, second] = found;
  if (first !== undefined && second !== undefined)
    throw fail("attachment_ambiguous", {
      app,
      cluster: [...new Set(found.map(({ cluster }) => cluster.name))].join(" and "),
      variables: found.map(({ at }) => at.variable).join(", "),
    });
  const cluster = first?.cluster ?? (clusters.length === 1 ? clusters[0] : undefined);
  const name = cluster?.name ?? examplesOwn.cluster;
  const leader = cluster?.members.find(({ role }) => role === "leader");
  const around = {
    app,
    cluster: name,
    variable: first?.at.variable ?? variable ?? examplesOwn.variable,
    primaryRegion: cluster?.primaryRegion ?? examplesOwn.primaryRegion,
    ...(cluster === undefined
      ? {}
      : { regions: [...new Set([leader, ...cluster.members].flatMap((member) => member?.region ?? []))] }),
    ...(leader === undefined ? {} : { leader: leader.id }),
  };
  if (first === undefined) {
    const role = encodeURIComponent(identifierOfApp(app));
    const at = cluster === undefined ? `${name}.internal:5432` : `${cluster.host}:${cluster.port}`;
    return { ...around, state: "app", url: `postgres://${role}:***@${at}/${role}` };
  }
  const attachments = await daemon.call("listAttachments", { params: { cluster: name } });
  const attachment = attachments.find((one) => one.app === app && one.variable === around.variable);
  if (attachment === undefined) throw fail("no_attachments", { app, cluster: name });
  return { ...around, state: "attached", url: attachment.url, ...poolOf(attachment) };
}
