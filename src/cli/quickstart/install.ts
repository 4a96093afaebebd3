import { fail } from "../../errors/error.ts";
import { CommandError, run } from "../../host/command.ts";
import type { Terminal } from "../output/terminal.ts";
import { installCommands, missingTools, packagesOf, toolsMissing } from "../tools.ts";

/** Long enough for a slow mirror. */
const installMs = 600_000;

/** Makes sure that the system tools are there: as root on Debian or Ubuntu it installs them, after saying so; elsewhere it names the packages. */
export async function ensureTools(terminal: Terminal, { install, signal }: { install: boolean; signal: AbortSignal }): Promise<void> {
  const missing = await missingTools();
  if (missing.length === 0) return;
  const packages = packagesOf(missing);
  const commands = install ? await installCommands(packages) : undefined;
  if (commands === undefined) throw toolsMissing(missing);
  for (const argv of commands) {
    terminal.progress.say(`Installing ${packages.join(", ")} for the private network: ${argv.join(" ")}`);
    try {
      await run(argv, { timeoutMs: installMs, signal, env: { DEBIAN_FRONTEND: "noninteractive" } });
    } catch (error) {
      if (signal.aborted) throw fail("cancelled", { what: argv.join(" ") }, error);
      // A mirror of many may be unreachable without harm: what counts is the installing.
      if (argv[1] !== "update")
        throw fail("tools_missing", { tools: missing.join(", "), packages: packages.join(" ") }, error instanceof CommandError ? error : undefined);
    }
  }
  const still = await missingTools();
  if (still.length > 0) throw toolsMissing(still);
}
