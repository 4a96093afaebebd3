import { maxBodyBytes } from "../../../api/route.ts";
import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { readSecret, readStdin } from "../../input.ts";
import { type Assignment, parseArgument, parseAssignments } from "../../secrets/assignments.ts";

export const secretsSet = command({
  name: "secrets set",
  summary: "Set secrets of an app, all or none",
  details:
    "A value that is an argument is visible in the process list while the command runs, and the shell keeps it in its history: for what is secret, NAME=- reads the value from stdin (without the newline at its end) or asks for it at a terminal; a single - reads NAME=VALUE lines as perch secrets import does. Commands that run with --watch are restarted; others see the change when they start again.",
  args: { pairs: { summary: "NAME=VALUE, NAME=- or -", many: true } },
  examples: [
    "perch secrets set -a web API_KEY=-",
    "perch secrets set -a web MODE=live LOG_LEVEL=debug",
    "perch secrets set -a web TLS_KEY=- < key.pem",
    "perch secrets set -a web - < production.env",
  ],
  needs: ["json", "daemon", "app"],
  routes: ["setSecrets"],
  async run({ args, app, daemon }) {
    const secrets =
      args.pairs.length === 1 && args.pairs[0] === "-"
        ? parseAssignments(await readStdin(maxBodyBytes))
        : await valuesOf(args.pairs.map(parseArgument));
    if (Object.keys(secrets).length === 0) throw fail("secret_pair_invalid", { what: "stdin holds none" });
    const list = await daemon.call("setSecrets", { params: { app }, body: { secrets } });
    return { json: list, text: `Secrets of ${app} are set: ${Object.keys(secrets).join(", ")}` };
  },
});

async function valuesOf(assignments: readonly Assignment[]): Promise<Record<string, string>> {
  if (!process.stdin.isTTY && assignments.filter((assignment) => "from" in assignment).length > 1) {
    throw fail("secret_pair_invalid", { what: "stdin can be the value of one secret only" });
  }
  const values: Record<string, string> = {};
  for (const assignment of assignments)
    values[assignment.name] = "from" in assignment ? await readSecret(assignment.name) : assignment.value;
  return values;
}
