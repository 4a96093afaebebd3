/** A Perch of a bench's own, in a home below the temporary directory, as the built CLI makes it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Member, Status } from "../src/api/schemas.ts";
import { run } from "../src/host/process/command.ts";
import { exists } from "../src/host/files/files.ts";
import { findHome, type Home } from "../src/host/system/home.ts";
import { type Binaries, findBinaries } from "../src/postgres/instance/binaries.ts";
import { timed } from "./stats.ts";

export const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

export interface Perch {
  home: Home;
  /** argv of the CLI, for those who start it themselves. */
  argv(words: readonly string[]): string[];
  /** A command as a user types it; what it printed. */
  type(words: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<string>;
  /** Milliseconds from start to end. */
  time(words: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<number>;
}

const commandMs = 120_000;

/** `work` with a home where nothing runs yet. Whatever runs there afterwards is stopped, and the home is gone. */
export async function withPerch<T>(work: (perch: Perch) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const argv = (words: readonly string[]) => [process.execPath, cli, ...words];
  const type: Perch["type"] = async (words, { input, env } = {}) => {
    const at = { env: { ...env, PERCH_HOME: root, NO_COLOR: "1" }, cwd: root, timeoutMs: commandMs };
    return (await run(argv(words), { ...at, ...(input === undefined ? {} : { input }) })).stdout;
  };
  try {
    const time: Perch["time"] = async (words, options) => (await timed(() => type(words, options))).ms;
    return await work({ home: findHome({ PERCH_HOME: root }), argv, type, time });
  } finally {
    await type(["down"]).catch(() => undefined);
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

export const statusOf = async (perch: Perch): Promise<Status> =>
  JSON.parse(await perch.type(["status", "--json"])) as Status;

export async function leaderOf(perch: Perch, cluster: string): Promise<Member> {
  const leader = (await statusOf(perch)).clusters
    .find(({ name }) => name === cluster)
    ?.members.find(({ role }) => role === "leader");
  if (leader === undefined) throw new Error(`cluster ${cluster} has no leader`);
  return leader;
}

/** The PostgreSQL that Perch would take, if it has the programs a bench needs; else why not. */
export async function binariesWith(perch: Perch, ...programs: readonly string[]): Promise<Binaries | string> {
  const found = await findBinaries({ toolsDirectory: join(perch.home.postgres, "tools") }).catch(
    (error: Error) => error.message,
  );
  if (typeof found === "string") return found;
  const here = await Promise.all(programs.map((program) => exists(join(found.directory, program))));
  const missing = programs.filter((_, at) => here[at] === false);
  return missing.length === 0 ? found : `${missing.join(", ")} not found in ${found.directory}`;
}
