import { command } from "../../../command.ts";
import { poolText } from "../../../output/pool-text.ts";

export const poolOn = command({
  name: "postgres pool on",
  summary: "Put PgBouncer before a cluster: 6432 leads to the leader, 6433 to the member itself",
  details:
    "In transaction mode many clients share few connections, and a switchover loses no query; what belongs to a session (SET, LISTEN, advisory locks, temporary tables) does not outlive a transaction. It is the default with PgBouncer 1.21 and newer. An older one gives wrong rows to clients that prepare statements, so the default there is session mode. Repeated, the command changes the mode or the size; another mode ends the connections of its clients.",
  flags: {
    mode: {
      type: "string",
      value: "MODE",
      choices: ["transaction", "session"],
      summary: "How long a client keeps a server",
    },
    noPreparedStatements: {
      type: "boolean",
      summary: "With --mode transaction: no client prepares statements. Needed with PgBouncer before 1.21",
    },
    size: {
      type: "integer",
      min: 1,
      max: 1000,
      value: "COUNT",
      summary: "Connections to the server for each database and role (default 20)",
    },
  },
  examples: [
    "perch postgres pool on -a pg",
    "perch postgres pool on -a pg --mode session --size 50",
    "perch postgres pool on -a pg --mode transaction --no-prepared-statements",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["setPool"],
  async run({ cluster, flags, daemon }) {
    const body = {
      ...(flags.mode === undefined
        ? {}
        : { mode: flags.mode === "session" ? ("session" as const) : ("transaction" as const) }),
      ...(flags.noPreparedStatements ? { preparedStatements: false as const } : {}),
      ...(flags.size === undefined ? {} : { size: flags.size }),
    };
    const shown = await daemon.call("setPool", { params: { cluster }, body });
    return { json: shown, text: poolText(shown) };
  },
});
