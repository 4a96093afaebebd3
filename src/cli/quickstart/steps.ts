import type { Daemon } from "../command.ts";
import { columns } from "../output/columns.ts";

/**
 * The steps of the quickstart that change something. Each leaves alone what is there already and says in one sentence
 * what is there now.
 */

export const names = { cluster: "pg", app: "hello", primary: "ams", replica: "lhr" } as const;

export async function ensureCluster(daemon: Daemon): Promise<string> {
  const clusters = await daemon.call("listClusters", {});
  const there = clusters.find((cluster) => cluster.name === names.cluster);
  if (there !== undefined) return `cluster ${there.name} is there already, PostgreSQL ${there.version}`;
  const { cluster } = await daemon.call("createCluster", { body: { name: names.cluster, region: names.primary } });
  return `cluster ${cluster.name} created: PostgreSQL ${cluster.version}, its leader in ${cluster.primaryRegion}`;
}

export async function ensureReplica(daemon: Daemon): Promise<string> {
  const { members } = await daemon.call("showCluster", { params: { cluster: names.cluster } });
  const there = members.find((member) => member.region === names.replica);
  if (there !== undefined) return `machine ${there.id} in ${there.region} is there already, a ${there.role}`;
  const leader = members.find((member) => member.role === "leader") ?? members[0];
  const replica = await daemon.call("cloneMachine", {
    params: { machine: leader?.id ?? names.cluster },
    body: { region: names.replica },
  });
  return `read replica ${replica.id} streams in ${replica.region}`;
}

export async function ensureApp(daemon: Daemon): Promise<string> {
  const apps = await daemon.call("listApps", {});
  if (apps.some((app) => app.name === names.app)) return `app ${names.app} is there already`;
  await daemon.call("createApp", { body: { name: names.app, primaryRegion: names.primary } });
  return `app ${names.app} created`;
}

export async function ensureAttachment(daemon: Daemon): Promise<string> {
  const attachment = await daemon.call("attach", {
    params: { cluster: names.cluster },
    body: { app: names.app, ifNotAttached: true, existingDatabase: true },
  });
  const { app, cluster, database, user, variable } = attachment;
  return attachment.new
    ? `${app} attached to ${cluster}: database ${database}, user ${user}, secret ${variable}`
    : `${app} is attached to ${cluster} already`;
}

/** The last lines: how to go on and how to stop. Pure. */
export const goOnText = (): string =>
  [
    "Go on:",
    columns(
      [
        ["perch status", "what runs"],
        [
          `perch run -a ${names.app} --region ${names.replica} -- COMMAND`,
          `your program, as it would be in ${names.replica}`,
        ],
        [`perch postgres connect -a ${names.cluster}`, "psql on the leader"],
        [`perch apps create web && perch postgres attach ${names.cluster} --app web`, "an app of your own"],
      ],
      { indent: 2 },
    ),
    "",
    "Stop (the data stays, and perch up brings everything back):",
    "  perch down",
  ].join("\n");
