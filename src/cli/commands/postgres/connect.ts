import { fail } from "../../../errors/error.ts";
import { findProgram } from "../../../host/files/files.ts";
import { launch } from "../../../host/process/launch.ts";
import { command } from "../../command.ts";
import { withoutLibpq } from "../../run/libpq.ts";

export const postgresConnect = command({
  name: "postgres connect",
  summary: "Open psql on a cluster: on its leader, or on the replica of a region",
  details: `A superuser's session, postgres among them, has search_path = pg_catalog, pg_temp: the owner of a database chooses what an unqualified name means there.
Write the schema (public.users, CREATE EXTENSION dblink SCHEMA public), or connect as the app's own user with -u. What a view, a default or a trigger of the app's calls runs with the rights of who uses it.`,
  args: { arguments: { summary: "Further arguments of psql, behind --", optional: true, many: true } },
  flags: {
    database: {
      type: "string",
      short: "d",
      value: "NAME",
      summary: "The database (default that of the user's attachment, else postgres)",
    },
    user: { type: "string", short: "u", value: "NAME", summary: "The user", default: "postgres" },
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "Connect to the nearest member of that region itself, in place of the leader",
    },
    command: { type: "string", short: "c", value: "SQL", summary: "Run this and end" },
  },
  examples: [
    "perch postgres connect -a pg",
    "perch pg connect -a pg -u web --command 'select count(*) from users'",
    "perch pg connect -a pg -d web --command 'CREATE EXTENSION dblink SCHEMA public'",
    "perch pg connect -a pg --region lhr -- -At -f report.sql",
  ],
  needs: ["daemon", "cluster"],
  routes: ["session"],
  ownsTerminal: true,
  machineOnly: true,
  async run({ args, flags, cluster, daemon }) {
    if ((await findProgram("psql")) === undefined)
      throw fail("client_missing", { program: "psql", packages: "postgresql-client" });
    const { user, database, region } = flags;
    const session = await daemon.call("session", {
      params: { cluster },
      body: { user, ...(database === undefined ? {} : { database }), ...(region === undefined ? {} : { region }) },
    });
    // A \connect in ~/.psqlrc would lead what nobody watches elsewhere; at a prompt one sees where one is.
    const quiet =
      flags.command !== undefined || args.arguments.length > 0 || !process.stdin.isTTY ? ["--no-psqlrc"] : [];
    const argv = ["psql", ...quiet, ...(flags.command === undefined ? [] : ["-c", flags.command]), ...args.arguments];
    const env = {
      ...withoutLibpq(process.env),
      PGHOST: session.host,
      PGPORT: String(session.port),
      PGUSER: user,
      ...session.env,
    };
    const { ended } = await launch({ enter: session.enter, barred: session.barred, command: argv, env });
    return { exit: await ended };
  },
});
