import { majorsInWords } from "../../../model/majors.ts";
import { resolve } from "node:path";
import type { Answer } from "../../../client/client.ts";
import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { passwordFrom } from "../../input.ts";
import { columns } from "../../output/columns.ts";

export const postgresCreate = command({
  name: "postgres create",
  summary: "Create a PostgreSQL cluster",
  args: { cluster: { summary: "Its name, where it is not given by --name", optional: true } },
  flags: {
    name: { type: "string", short: "n", value: "NAME", summary: "Its name: lower-case letters, digits and dashes" },
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "Its primary region, where the leader is",
      default: "ams",
    },
    initialClusterSize: {
      type: "integer",
      value: "COUNT",
      summary: "Members in that region: one leader, the rest replicas",
      min: 1,
      max: 9,
      default: 1,
    },
    password: {
      type: "string",
      short: "p",
      value: "PASSWORD",
      summary:
        "Of the superuser postgres; - reads it from stdin; as an argument it is visible in the process list (default a random one)",
    },
    pgVersion: { type: "integer", value: "MAJOR", summary: `PostgreSQL ${majorsInWords}` },
    pgBin: { type: "string", value: "DIR", summary: "The directory with initdb, postgres and pg_ctl" },
  },
  examples: [
    "perch postgres create --name pg --region ams",
    "perch pg create pg --initial-cluster-size 3 --pg-bin /usr/lib/postgresql/17/bin",
  ],
  needs: ["json", "daemon"],
  routes: ["createCluster"],
  async run({ args, flags, daemon }) {
    const name = flags.name ?? args.cluster;
    if (name === undefined) throw fail("usage_invalid", { reason: "perch postgres create: --name is missing" });
    if (args.cluster !== undefined && args.cluster !== name)
      throw fail("usage_invalid", { reason: `two names were given, ${args.cluster} and ${name}` });
    const password = await passwordFrom(flags.password);
    const created = await daemon.call("createCluster", {
      body: {
        name,
        region: flags.region,
        size: flags.initialClusterSize,
        ...(password === undefined ? {} : { password }),
        ...(flags.pgVersion === undefined ? {} : { version: flags.pgVersion }),
        ...(flags.pgBin === undefined ? {} : { binaries: resolve(flags.pgBin) }),
      },
    });
    return { json: created, text: createdText(created) };
  },
});

/** flyctl's block, and how to go on. Pure. */
export function createdText({
  cluster,
  username,
  password,
  hostname,
  port,
  connectionString,
}: Answer<"createCluster">): string {
  const memberPort = cluster.members.find((member) => member.role === "leader")?.port ?? port;
  return [
    `Postgres cluster ${cluster.name} created`,
    columns(
      [
        ["Username:", username],
        ["Password:", password],
        ["Hostname:", hostname],
        ["Proxy port:", String(port)],
        ["Postgres port:", String(memberPort)],
        ["Connection string:", connectionString],
      ],
      { indent: 2 },
    ),
    "",
    "Save your credentials in a secure place -- you won't be able to see them again!",
    "",
    `Attach an app to it:   perch postgres attach ${cluster.name} --app APP`,
    `Connect to it:         perch postgres connect -a ${cluster.name}`,
  ].join("\n");
}
