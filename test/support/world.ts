import { memberPort } from "../../src/model/ports.ts";
import { existsSync, readdirSync } from "node:fs";
import pg from "pg";
import type { Cluster, Member, Status } from "../../src/api/schemas.ts";
import { ask } from "../../src/base/deadline.ts";
import { clientOf } from "../../src/client/client.ts";
import { findHome } from "../../src/host/system/home.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { perchIn, startIn, succeeded } from "./perch.ts";
import { queryAs } from "./query.ts";
import { tempHome } from "./temporary.ts";

/** A home with everything a test asks about it: its commands, its API, its servers over their unix sockets. */
export const operatorPassword = "operator-password";

export function worldIn(root = tempHome()) {
  const home = findHome({ PERCH_HOME: root });
  const perch = perchIn(root);
  const client = clientOf(home);

  /** A connection of the superuser, straight to a member: it takes no part in what is tested. */
  async function connect(member: string, database = "postgres", more: object = {}): Promise<pg.Client> {
    const at = {
      host: layout(home, member).sockets,
      port: memberPort,
      user: "postgres",
      password: operatorPassword,
      database,
    };
    const session = new pg.Client({ ...at, ...more });
    session.on("error", () => undefined);
    await session.connect();
    return session;
  }

  const world = {
    root,
    home,
    perch,
    client,
    connect,
    begin: startIn(root),
    ok: async (...args: string[]): Promise<string> => succeeded(await perch(args)),
    json: async <T>(...args: string[]): Promise<T> => JSON.parse(succeeded(await perch([...args, "--json"]))) as T,
    /** The error that a command must end with. */
    error: async (...args: string[]): Promise<{ code: string; message: string; exit: number | null }> => {
      const { code, stdout, stderr } = await perch([...args, "--json"]);
      const said = stderr.split("\n").find((line) => line.startsWith('{"error"'));
      if (said === undefined) throw new Error(`exit ${code} without an error in JSON\n${stdout}\n${stderr}`);
      return { ...(JSON.parse(said) as { error: { code: string; message: string } }).error, exit: code };
    },
    /** The URL that a secret of the app holds, as a command of the app reads it. */
    url: async (app = "web", variable = "DATABASE_URL"): Promise<string> =>
      (await world.ok("run", "-a", app, "--", "printenv", variable)).trim(),
    /** What the app's own SQL gives. */
    query: async (app: string, sql: string, variable = "DATABASE_URL"): Promise<string> =>
      succeeded(await queryAs(perch, app, sql, { variable })).trim(),
    create: (name = "pg", ...more: string[]) =>
      world.ok("postgres", "create", "--name", name, "--region", "ams", "--password", operatorPassword, ...more),
    status: (): Promise<Status> => client.call("status", {}),
    cluster: async (name = "pg"): Promise<Cluster> => {
      const found = (await world.status()).clusters.find((cluster) => cluster.name === name);
      if (found === undefined) throw new Error(`there is no cluster ${name}`);
      return found;
    },
    leader: async (name = "pg"): Promise<Member> => first((await world.cluster(name)).members, "leader"),
    replica: async (name = "pg"): Promise<Member> => first((await world.cluster(name)).members, "replica"),
    async sql<Row extends object>(member: string, text: string, database?: string): Promise<Row[]> {
      const session = await connect(member, database);
      return session
        .query<Row>(text)
        .then(({ rows }) => rows)
        .finally(() => session.end());
    },
    /** Directories of members, whether their records are there or not. */
    directories: (): string[] =>
      existsSync(home.postgres) ? readdirSync(home.postgres).filter((name) => name !== "tools") : [],
  };
  return world;
}

export type World = ReturnType<typeof worldIn>;

function first(members: readonly Member[], role: Member["role"]): Member {
  const found = members.find((member) => member.role === role);
  if (found === undefined) throw new Error(`there is no ${role}`);
  return found;
}

/**
 * Asks until the answer is neither undefined nor false; throws with the question's name when that takes too long. Gives
 * the milliseconds, too.
 */
export async function eventually<T>(
  what: string,
  question: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 15_000,
): Promise<{ answer: T; ms: number }> {
  const from = performance.now();
  const found = await ask(
    async () => {
      const answer = await question();
      return answer === undefined || answer === false ? undefined : { answer };
    },
    { everyMs: 10, withinMs },
  );
  if (found === undefined) throw new Error(`not within ${withinMs} ms: ${what}`);
  return { answer: found.answer, ms: performance.now() - from };
}

/** The time a promise takes, in milliseconds, and a line of it for the report. */
export async function timed<T>(what: string, promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const from = performance.now();
  const value = await promise;
  const ms = performance.now() - from;
  process.stderr.write(`${what}: ${Math.round(ms)} ms\n`);
  return { value, ms };
}
