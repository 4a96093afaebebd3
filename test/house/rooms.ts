/**
 * The rooms of `src/` in the order of the story, and which room each may import, with the reason. `rooms.test.ts` holds
 * the table against every import; ARCHITECTURE.md shows it. An arrow that is not here is not there: to add one, add its
 * reason.
 */
export interface Room {
  readonly holds: string;
  /** The file to start reading in; it opens with what the room is for and what it may not know. */
  readonly start: string;
  /** Room, or one file of it, → why. */
  readonly imports: Readonly<Record<string, string>>;
  /** The same for imports of types only, which leave nothing behind when the program runs. */
  readonly types?: Readonly<Record<string, string>>;
  /** The packages from npm it may know. A library stands behind one room, so that it can be replaced there. */
  readonly packages: readonly string[];
  /** No node:* either: it says what holds on any machine. */
  readonly pure?: true;
}

export const rooms: Readonly<Record<string, Room>> = {
  base: {
    holds: "leaf things: deadlines, redaction, the log",
    start: "deadline.ts",
    imports: {},
    packages: ["pino"],
  },
  errors: {
    holds: "the register: code, sentence, HTTP status, exit code, what to do next",
    start: "register.ts",
    imports: {},
    packages: [],
    pure: true,
  },
  model: {
    holds: "the nouns and their laws: names, addresses, regions, records",
    start: "records.ts",
    imports: { errors: "a broken law is an error of the register" },
    packages: [],
    pure: true,
  },
  api: {
    holds: "the contract between CLI and perchd: routes, request and response schemas",
    start: "route.ts",
    imports: { model: "the nouns that cross it" },
    types: { errors: "the shape of an error that crosses it" },
    packages: ["zod"],
    pure: true,
  },
  client: {
    holds: "the typed client of perchd, over its unix socket or to another host",
    start: "client.ts",
    imports: {
      api: "the routes it calls",
      base: "deadlines",
      errors: "an error that crossed the API is one of the register again",
      model: "what a token says of the server it is for",
      "host/files/chain.ts": "whether the socket there can be believed",
      "host/system/home.ts": "where the socket lies",
    },
    packages: [],
  },
  cli: {
    holds: "`perch` as it is typed: commands as data, a handler each",
    start: "command.ts",
    imports: {
      base: "deadlines, redaction",
      errors: "exit codes and what to do next",
      model: "arguments are checked before the daemon is asked",
      api: "the shapes it prints",
      client: "the only way to perchd",
      host: "starting perchd, and the command of `perch run`",
    },
    packages: ["commander", "@clack/prompts", "smol-toml", "pg", "uqr"],
  },
  host: {
    holds: "running programs, files, users, the home: the only door to the operating system",
    start: "process/process.ts",
    imports: { base: "deadlines, redaction", errors: "what the machine refuses is an error of the register" },
    types: { model: "the identity of a process as it is kept" },
    packages: [],
  },
  postgres: {
    holds: "how to run one PostgreSQL server: binaries, initdb, settings, start, ready, stop, copy, roles, SQL",
    start: "instance/server.ts",
    imports: {
      base: "deadlines",
      errors: "why a server did not start",
      model: "identities, versions, the laws of names",
      host: "processes and files",
    },
    packages: ["pg", "@peculiar/x509", "reflect-metadata"],
  },
  pgbouncer: {
    holds: "PgBouncer: its files (pure), one process, its console, what it may ask PostgreSQL",
    start: "config.ts",
    imports: {
      base: "deadlines",
      errors: "why it did not start",
      host: "its process and files",
      postgres: "its role, and how PostgreSQL's user owns a directory",
      model: "which mode a version of it may have",
    },
    packages: ["pg"],
  },
  network: {
    holds: "the namespace, its addresses and the kernel map of port 5432",
    start: "namespace.ts",
    imports: {
      base: "deadlines",
      errors: "why the system refused",
      model: "addresses",
      host: "ip, nft, unshare and nsenter are programs",
    },
    packages: [],
  },
  dns: {
    holds: "the name server: wire, zone (pure), sockets",
    start: "zone.ts",
    imports: {
      base: "deadlines",
      errors: "why it could not start",
      model: "regions and addresses",
      host: "its process",
    },
    packages: ["dns-packet", "zod"],
  },
  wireguard: {
    holds: "the WireGuard interface of a network: its configuration (pure), its device, its peers",
    start: "config.ts",
    imports: {
      base: "deadlines",
      errors: "why the system refused",
      model: "addresses",
      host: "ip, wg and wireguard-go are programs",
      network: "what it claims of the kernel, and the namespace it ends in",
    },
    packages: [],
  },
  ingress: {
    holds: "public ingress: one process a cluster that leads connections in, and who may come in",
    start: "settings.ts",
    imports: {
      base: "deadlines, the clock",
      errors: "why it did not open",
      model: "what is asked for, and the addresses that stand for sources",
      host: "its process and its sockets",
    },
    packages: [],
  },
  capacity: {
    holds: "what runs out, told before it has: readings, thresholds, what is said of them (pure)",
    start: "facts.ts",
    imports: { base: "sizes for people" },
    types: { host: "what the machine has", postgres: "what a server has" },
    packages: [],
    pure: true,
  },
  store: {
    holds: "desired state: read, write, watch, migrate",
    start: "store.ts",
    imports: {
      base: "deadlines",
      errors: "conflicts, and state that cannot be read",
      model: "the records it keeps",
      host: "the file it keeps them in",
    },
    packages: ["@photostructure/sqlite", "zod"],
  },
  vault: {
    holds: "the key of all secrets: sealing and opening, where the key lies, changing it",
    start: "vault.ts",
    imports: {
      base: "whoever changes the key is alone",
      errors: "a key that is missing, or opens nothing",
      model: "the records that hold what is sealed",
      host: "the key's file",
      store: "everything that is sealed, when the key changes",
    },
    packages: [],
  },
  cluster: {
    holds:
      "one cluster as it is: what is wanted of it and what was found, its passwords and certificates, the sessions held open to it",
    start: "view.ts",
    imports: {
      base: "deadlines",
      errors: "state that is missing",
      model: "its records",
      host: "where its files lie",
      postgres: "its servers, and the connection held open to each",
      pgbouncer: "the console held open to each pooler",
      network: "the ports of its members",
      store: "its records",
      vault: "its passwords",
    },
    packages: [],
  },
  routing: {
    holds:
      "where names and connections lead, as a whole: addresses, names, the kernel map and the ingress, from the views (pure), and set",
    start: "table.ts",
    imports: {
      base: "the log",
      model: "the records it shows",
      cluster: "the views",
      network: "the kernel map",
      dns: "the zone",
      ingress: "where a public ingress leads",
    },
    packages: [],
  },
  engine: {
    holds:
      "who leads: the interface; `local/`: the table of cases (pure), switchover and failover. Nothing else writes a cluster's leader",
    start: "engine.ts",
    imports: {
      base: "deadlines",
      errors: "why a member cannot lead",
      cluster: "a cluster as it looks at it",
      postgres: "what a server says of itself",
    },
    packages: [],
  },
  reconcile: {
    holds:
      "the loop: observe, plan (pure), apply, again; `concerns/`: what a cluster has beside its members; `network/`: what is no cluster's",
    start: "plan.ts",
    imports: {
      base: "deadlines",
      errors: "a step that failed says why",
      model: "the records it makes true",
      host: "processes and files",
      postgres: "to run the members",
      pgbouncer: "to run the poolers",
      network: "ports",
      vault: "passwords",
      cluster: "what it looks at, and works with",
      "engine/engine.ts": "who leads, and how that is changed",
      "engine/operations.ts": "what it lends the engine for that",
    },
    packages: [],
  },
  doctor: {
    holds: "why an app cannot connect: the app's own way gone from inside, and what was met judged (pure)",
    start: "facts.ts",
    imports: {
      base: "deadlines, redaction",
      model: "where a server is in portable mode",
      host: "the program that goes the way",
      postgres: "what a server says of a role",
      capacity: "from where on something runs out",
    },
    packages: ["pg"],
  },
  server: {
    holds: "HTTP handlers: change desired state and return",
    start: "http/http.ts",
    imports: {
      base: "deadlines",
      errors: "what a caller is told",
      model: "the laws of what is asked for",
      api: "the routes it answers",
      host: "the command that enters the network",
      doctor: "`perch doctor`",
      capacity: "the warnings of `perch status`",
      store: "what is desired",
      vault: "what is sealed",
      cluster: "what is shown of it",
      routing: "addresses and names are set before a run begins",
      reconcile: "to wake the loop and wait for it",
    },
    packages: ["fastify", "zod"],
  },
  daemon: {
    holds: "perchd: builds everything, starts and stops it in order; nothing imports it",
    start: "main.ts",
    imports: Object.fromEntries(
      [
        "base",
        "errors",
        "model",
        "api",
        "host",
        "postgres",
        "pgbouncer",
        "network",
        "wireguard",
        "dns",
        "ingress",
        "doctor",
        "capacity",
        "store",
        "vault",
        "cluster",
        "routing",
        "engine",
        "reconcile",
        "server",
      ].map((room) => [room, "it builds everything"]),
    ),
    packages: [],
  },
};

/**
 * Files that name a path to the system themselves where others own directories, and why they may: no part of that path
 * but the last is another's.
 */
export const ownFiles: Readonly<Record<string, string>> = {
  "src/doctor/probe.ts": "reads the authority that an app's URL names, as the app would",
  "src/pgbouncer/server.ts": "a pooler's directory is perchd's own",
  "src/postgres/replication/base-backup.ts": "renames a data directory in the member's own, which is perchd's",
  "src/postgres/instance/binaries.ts": "the copy of PostgreSQL's programs is perchd's own",
  "src/postgres/instance/data-removal.ts": "renames data directories in the member's own, which is perchd's",
  "src/postgres/instance/directory.ts": "makes and renames a member's directories, in one of perchd's",
  "src/postgres/instance/initdb.ts": "renames a data directory in the member's own, which is perchd's",
};

/** Who may import node:child_process, and why. */
export const spawners: Readonly<Record<string, string>> = {
  host: "the only door to the operating system",
};

/** The table as ARCHITECTURE.md shows it. */
export function roomsTable(): string {
  const arrows = ({ imports, types = {} }: Room) =>
    [...Object.keys(imports), ...Object.keys(types).map((room) => `${room} (types)`)].join(", ");
  const rows = Object.entries(rooms).map(
    ([name, room]) =>
      `| \`${name}\` | ${room.holds} | ${name === "daemon" ? "all but cli and client" : arrows(room) || "nothing"} |`,
  );
  return ["| room | holds | may import |", "| --- | --- | --- |", ...rows].join("\n");
}
