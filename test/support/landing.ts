import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cargoEnvironment, cargoTools } from "./cargo.ts";
import { type Example, exampleOf } from "./example.ts";
import { repository, type Ended } from "./perch.ts";
import type { World } from "./world.ts";

export type Wanted = "leader" | "replica" | "rather";

/** A client that chooses among hosts by what a server is, and the program that says where it arrived. */
export interface Chooser {
  name: string;
  tools: readonly string[];
  example: string;
  /** Programs of test/examples/drivers, and where the example has them. */
  program?: readonly [from: string, to: string];
  prepare?: readonly (readonly string[])[];
  parameter: string;
  /** What it calls the leader, a replica, and a replica first. */
  words: Readonly<Record<Wanted, readonly string[]>>;
  argv: (url: string, hosts: string) => readonly string[];
  /**
   * Of a name with several addresses, whether it goes on to the next address where a server is not what it asks for;
   * else to the next host.
   */
  tries?: "address";
}

const parameter = "target_session_attrs";
const libpq = { leader: ["primary", "read-write"], replica: ["standby", "read-only"], rather: ["prefer-standby"] };
const query = "SELECT json_build_object('replica', pg_is_in_recovery()::text, 'address', host(inet_server_addr()))";
const withUrl =
  (...argv: string[]) =>
  (url: string) => ["env", `DATABASE_URL=${url}`, ...argv];

export const choosers: readonly Chooser[] = [
  {
    name: "libpq",
    tools: ["psql"],
    example: "psql",
    parameter,
    words: libpq,
    argv: (url) => ["psql", "-XAtc", query, url],
  },
  {
    name: "pgJDBC",
    tools: ["javac", "mvn"],
    example: "jdbc",
    program: ["Landing.java", "Landing.java"],
    prepare: [
      ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DexcludeTransitive", "-DoutputDirectory=lib"],
      ["javac", "Landing.java"],
    ],
    parameter: "targetServerType",
    words: { leader: ["primary"], replica: ["secondary"], rather: ["preferSecondary"] },
    argv: (_, hosts) => ["java", "-cp", "lib/postgresql-42.7.8.jar:.", "Landing", hosts],
  },
  {
    name: "asyncpg",
    tools: ["python3 -c 'import ensurepip'"],
    example: "asyncpg",
    program: ["landing.py", "landing.py"],
    prepare: [
      ["python3", "-m", "venv", ".venv"],
      [".venv/bin/pip", "install", "-q", "-r", "requirements.lock"],
    ],
    parameter,
    words: libpq,
    argv: withUrl(".venv/bin/python", "landing.py"),
  },
  {
    name: "pgx",
    tools: ["go"],
    example: "go",
    prepare: [["go", "build", "-mod=readonly", "-o", "where", "./nearest"]],
    parameter,
    words: libpq,
    // Without a primary region it keeps the port of the URL.
    argv: withUrl("PRIMARY_REGION=", "./where"),
    tries: "address",
  },
  {
    name: "tokio-postgres",
    tools: cargoTools,
    example: "rust",
    program: ["landing.rs", "src/bin/landing.rs"],
    prepare: [["cargo", "build", "--locked", "--bin", "landing"]],
    parameter,
    words: { leader: ["read-write"], replica: ["read-only"], rather: [] },
    argv: withUrl("cargo", "run", "--offline", "--quiet", "--bin", "landing"),
    tries: "address",
  },
];

/**
 * The chooser ready to run in a network: how a connection from a region to these hosts ends, with a word for the server
 * where one is given.
 */
export async function chooserIn({ example: name, program, prepare = [], parameter: key, argv }: Chooser, world: World) {
  const example: Example = await exampleOf(name, world);
  Object.assign(example.env, cargoEnvironment("example"));
  if (program !== undefined) {
    await mkdir(dirname(join(example.directory, program[1])), { recursive: true });
    await cp(join(repository, "test/examples/drivers", program[0]), join(example.directory, program[1]));
  }
  for (const line of prepare) await example.prepare(line);
  const { username, password } = new URL((await example.run("printenv", "DATABASE_URL")).trim());
  return async (region: string, hosts: string, word?: string): Promise<Ended> => {
    const at = `${hosts}/web${word === undefined ? "" : `?${key}=${word}`}`;
    return example.runIn(region, ...argv(`postgres://${username}:${password}@${at}`, at));
  };
}
