import { cp } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Ended, repository, type RunAs, type RunningProgram, runToEnd, succeeded } from "./perch.ts";
import { temporaryDirectory } from "./temporary.ts";
import { type World, worldIn } from "./world.ts";

/**
 * A folder of `examples/` at work: a copy of it, outside the checkout, and a network with the cluster `pg` and the app
 * `web` attached to it.
 */
export interface Example {
  directory: string;
  /** Added to the environment of everything below; empty unless a test needs what a user would not. */
  env: Record<string, string>;
  world: World;
  /** Before the network: installs, compiles. Outside, where the internet is. */
  prepare(argv: readonly string[], options?: RunAs): Promise<string>;
  /** `perch run -a web -- …` in the copy, with nothing of ours but what the run itself sets. */
  run(...argv: string[]): Promise<string>;
  /** The same in a region, whatever its end. */
  runIn(region: string, ...argv: string[]): Promise<Ended>;
  /** A server of the app, begun and not waited for. */
  serve(...argv: string[]): Promise<RunningProgram>;
  /** What the leader shows of the app's database, asked past all that is tested. */
  rows<Row extends object>(text: string): Promise<Row[]>;
}

/** Names of what an install leaves in a checkout; a copy begins without. */
const installed = new Set(["node_modules", ".venv", ".env", "db.sqlite3", "__pycache__"]);

/** A copy of the files that a person would have written, to be run in a network of its own or one that is there. */
export async function exampleOf(name: string, world: World = worldIn()): Promise<Example> {
  const directory = join(temporaryDirectory(), name);
  await cp(join(repository, "examples", name), directory, {
    recursive: true,
    filter: (path) => !installed.has(basename(path)),
  });
  const env: Record<string, string> = {};
  const typed = (more: readonly string[], argv: readonly string[]) => ["run", "-a", "web", ...more, "--", ...argv];
  const run = (more: readonly string[], argv: readonly string[]) =>
    world.perch(typed(more, argv), { cwd: directory, env });
  return {
    directory,
    env,
    world,
    prepare: async (argv, options = {}) => succeeded(await runToEnd(argv, { cwd: directory, env, ...options })),
    run: async (...argv) => succeeded(await run([], argv)),
    runIn: (region, ...argv) => run(["--region", region], argv),
    serve: (...argv) => world.begin(typed([], argv), { cwd: directory, env }),
    rows: async <Row extends object>(text: string) => world.sql<Row>((await world.leader()).id, text, "web"),
  };
}

/** The cluster `pg` with its leader in ams, and the app `web` attached to it, for an example that is ready to run. */
export async function attach({ world }: Example): Promise<void> {
  await world.ok("up");
  await world.create();
  await world.ok("apps", "create", "web");
  await world.ok("postgres", "attach", "pg", "--app", "web");
}

/** The same, attached through a pooler. */
export async function attachPooled({ world }: Example, ...pool: string[]): Promise<void> {
  await world.ok("up");
  await world.create();
  await world.ok("apps", "create", "web");
  await world.ok("postgres", "pool", "on", "-a", "pg", ...pool);
  await world.ok("postgres", "attach", "pg", "--app", "web", "--pooled");
}
