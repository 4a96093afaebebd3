import { clusterHost } from "../../model/attachment-url.ts";
import { leaderPort, memberPort, poolPort, memberPoolPort } from "../../model/ports.ts";
import type { Attached, ClusterFacts, Facts, Target } from "../../doctor/facts.ts";
import { judge } from "../../doctor/judge.ts";
import { knock } from "../../doctor/probing.ts";
import { targetOf } from "../../doctor/target.ts";
import { succeeds } from "../../host/process/command.ts";
import { diskRoom } from "../../host/system/machine.ts";
import { portableHost } from "../../model/address.ts";
import { checkRegion } from "../../model/name.ts";
import type { AppRecord, ClusterRecord, MachineRecord } from "../../model/records.ts";
import { checkSecretName, clusterSecrets, databaseUrl } from "../../model/secret.ts";
import { admissionOf } from "../../cluster/leader/connections.ts";
import type { Warning } from "../../capacity/facts.ts";
import { formerServers } from "../../reconcile/former-servers.ts";
import { passwordsOf } from "../../cluster/context.ts";
import { leaderOf, leads } from "../../cluster/view.ts";
import { requireApp } from "./apps.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { enter, openSecrets } from "./runs.ts";
import { memberShape } from "../views/views.ts";

const databasePorts: readonly number[] = [leaderPort, memberPort, poolPort, memberPoolPort];

/**
 * Gathers the facts on an app's way to its database, and has them judged. It changes nothing, and a thing that is
 * broken is a line, not an error.
 */
export function doctorHandler(deps: Deps): Handlers["doctor"] {
  const { state, place } = deps;
  return async ({ params, query }, { elsewhere }) => {
    const app = await requireApp(deps, params.app);
    const clusters = await state.clusters.list();
    const own = clusters.find((cluster) => cluster.app === app.name);
    const variable = own === undefined ? checkSecretName(query.variable) : clusterSecrets.operator;
    const attachment = await attachedAs(deps, app, own, variable);
    const wanted = await (own === undefined ? appTarget(deps, app, variable) : operatorTarget(deps, own));
    const target =
      elsewhere && typeof wanted === "object" ? await ofAttachment(deps, clusters, wanted, attachment) : wanted;
    const region = checkRegion(query.region ?? app.primaryRegion ?? "ams");
    // Before anybody goes the way: it may be set right meanwhile.
    const broken = [...(await deps.broken()), ...formerly(deps)];
    const enters = await enter(deps, region, undefined);
    const met = await knock(enters, {
      authority: deps.context.authority.certificate,
      ...(typeof target === "object" ? { target } : {}),
    });
    const led =
      typeof target === "object"
        ? await clusterAt(deps, clusters, target)
        : clusters.find(({ app: name }) => name === attachment?.cluster);
    const facts: Facts = {
      daemon: { pid: process.pid, version: deps.version },
      app: app.name,
      variable,
      mode: place.mode,
      weak: place.mode === "root" && !(await succeeds(["unshare", "--user", "true"])),
      prefix: deps.prefix,
      target,
      attachment,
      clusters: clusters.map((cluster) => cluster.app),
      cluster: led && (await clusterFacts(deps, led, { target, attachment })),
      knock: met,
      disk: await diskRoom(deps.home.root),
      warnings: [...broken, ...(await deps.warnings())].filter(
        ({ subject }) => subject === "network" || subject === led?.app,
      ),
    };
    const lines = judge(facts);
    return { app: app.name, variable, ok: lines.every((line) => line.state !== "fail"), lines };
  };
}

/** What runs as an older Perch ran it: it works, and is less than it could be. */
const formerly = ({ context, clusters }: Deps): Warning[] =>
  (clusters.views() ?? [])
    .flatMap((view) => formerServers(context, view))
    .map((former) => ({ ...former, what: "server-user", level: "warn", used: 1, limit: 1 }));

async function appTarget(deps: Deps, app: AppRecord, variable: string): Promise<Facts["target"]> {
  const value = (await openSecrets(deps, app.name))[variable];
  return value === undefined ? undefined : targetOf(value);
}

/**
 * A secret's value is its setter's, and perchd must not look for them what listens where, or what a file holds: a token
 * is told of the attachment's own cluster and user alone, and the network's authority is the one that counts.
 */
async function ofAttachment(
  deps: Deps,
  clusters: readonly ClusterRecord[],
  target: Target,
  attachment: Attached | undefined,
): Promise<Facts["target"]> {
  const led = await clusterAt(deps, clusters, target);
  const portable = deps.place.mode === "portable";
  const door = portable ? /^(localhost|127\.0\.0\.1)$/.test(target.host) : databasePorts.includes(target.port);
  const own =
    led !== undefined && led.app === attachment?.cluster && [attachment.user, attachment.login].includes(target.user);
  const { sslrootcert: _file, ...rest } = target;
  return own && door ? rest : "not ours";
}

/** A cluster has no URL; its operator, the role postgres, goes the way of its apps. */
async function operatorTarget(deps: Deps, cluster: ClusterRecord): Promise<Facts["target"]> {
  const { operator } = await passwordsOf(deps, cluster.app);
  const at =
    deps.place.mode === "portable"
      ? { host: portableHost, port: cluster.portablePort ?? leaderPort }
      : { host: clusterHost(cluster.app), port: leaderPort };
  return targetOf(databaseUrl({ user: "postgres", password: operator, database: "postgres", ...at }));
}

async function attachedAs(
  { state }: Deps,
  app: AppRecord,
  own: ClusterRecord | undefined,
  variable: string,
): Promise<Attached | undefined> {
  if (own !== undefined) return { cluster: own.app, user: "postgres", login: "postgres", database: "postgres" };
  const found = (await state.attachments.list({ app: app.name })).find(
    (one) => one.variable === variable && one.phase === "ready",
  );
  return (
    found && { cluster: found.cluster, user: found.user, login: found.login ?? found.user, database: found.database }
  );
}

/**
 * Whose the URL's host is: every name of a cluster ends with its own, an address is a member's, and in portable mode
 * the port tells.
 */
async function clusterAt(
  { state, place }: Deps,
  clusters: readonly ClusterRecord[],
  { host, port }: Target,
): Promise<ClusterRecord | undefined> {
  const named = host.endsWith(".internal") ? host.split(".").at(-2) : undefined;
  const machines = (await state.machines.list()).filter((machine) => machine.kind === "postgres");
  const isAt = (machine: MachineRecord) =>
    place.mode === "portable" ? machine.portablePort === port : machine.address === host;
  const portable = (cluster: ClusterRecord) => place.mode === "portable" && cluster.portablePort === port;
  const owner = machines.find(isAt)?.app;
  return clusters.find((cluster) => cluster.app === named || portable(cluster) || cluster.app === owner);
}

async function clusterFacts(
  deps: Deps,
  cluster: ClusterRecord,
  { target, attachment }: Pick<Facts, "target" | "attachment">,
): Promise<ClusterFacts> {
  const view = deps.clusters.find(cluster.app)?.view();
  const leader = view && leaderOf(view);
  const members = view?.members.map((member) => memberShape(view, member, deps.place.mode)) ?? [];
  const answers = leader !== undefined && leads(leader) && typeof target === "object";
  const ask = (as: Pick<Target, "user" | "database">) =>
    answers ? admissionOf(deps.context, { record: cluster, leader }, as) : undefined;
  const asked = answers ? await ask(target) : undefined;
  const role = attachment?.cluster === cluster.app ? await ask(attachment) : undefined;
  return {
    name: cluster.app,
    members,
    admission: asked,
    ...(role !== undefined && role.role === undefined ? { roleless: true } : {}),
  };
}
