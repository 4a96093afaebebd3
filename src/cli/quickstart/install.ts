import { fail } from "../../errors/error.ts";
import { run } from "../../host/process/command.ts";
import { findProgram } from "../../host/files/files.ts";
import { aptLine } from "../../host/system/packages.ts";
import type { Terminal } from "../output/terminal.ts";
import { installCommands, missingTools, packagesOf, toolsMissing } from "../tools.ts";

/** Long enough for a slow mirror. */
const installMs = 600_000;

/** What Perch runs without, and its user soon misses. */
const wished = [
  { program: "psql", package: "postgresql-client", for: "perch postgres connect" },
  { program: "pasta", package: "passt", for: "apps under perch run to reach the Internet" },
] as const;

/**
 * Makes sure that the system tools are there: as root on Debian or Ubuntu it installs them, after saying so, and with
 * them what its user soon misses; elsewhere it names the packages. Gives what is still missing that Perch runs without,
 * a sentence each.
 */
export async function ensureTools(
  terminal: Terminal,
  { install, namespace, signal }: { install: boolean; namespace: boolean; signal: AbortSignal },
): Promise<string[]> {
  const missing = namespace ? await missingTools() : [];
  const absent = await absentOf(namespace);
  const packages = [...packagesOf(missing), ...absent.map((each) => each.package)];
  if (packages.length === 0) return [];
  const commands = install ? await installCommands(packages) : undefined;
  if (commands === undefined && missing.length > 0) throw await toolsMissing(missing);
  for (const argv of commands ?? []) {
    terminal.progress.say(`Installing ${packages.join(", ")}: ${argv.join(" ")}`);
    try {
      await run(argv, { timeoutMs: installMs, signal, env: { DEBIAN_FRONTEND: "noninteractive" } });
    } catch (error) {
      if (signal.aborted) throw fail("cancelled", { what: argv.join(" ") }, error);
      // A mirror of many may be unreachable without harm: what counts is the installing, and of that what Perch does
      // not run without.
      if (argv[1] !== "update" && missing.length > 0) throw await toolsMissing(missing, error);
    }
  }
  const still = namespace ? await missingTools() : [];
  if (still.length > 0) throw await toolsMissing(still);
  return Promise.all(
    (await absentOf(namespace)).map(
      async (each) => `${each.program} is missing, for ${each.for}. ${await aptLine([each.package])}`,
    ),
  );
}

async function absentOf(namespace: boolean): Promise<(typeof wished)[number][]> {
  const found = await Promise.all(
    wished.map(
      async (each) => (await findProgram(each.program)) === undefined && (namespace || each.program === "psql"),
    ),
  );
  return wished.filter((_, index) => found[index]);
}
