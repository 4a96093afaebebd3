import { maxBodyBytes } from "../../../api/route.ts";
import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { readStdin } from "../../input.ts";
import { parseAssignments } from "../../secrets/assignments.ts";

export const secretsImport = command({
  name: "secrets import",
  summary: "Set secrets from NAME=VALUE lines on stdin, all or none",
  details:
    'Lines that begin with # are comments, quotes around a value are taken off, and """ begins and ends a value of many lines.',
  examples: ["perch secrets import -a web < production.env"],
  needs: ["json", "daemon", "app"],
  routes: ["setSecrets"],
  async run({ app, daemon }) {
    const secrets = parseAssignments(await readStdin(maxBodyBytes));
    const names = Object.keys(secrets);
    if (names.length === 0) throw fail("secret_pair_invalid", { what: "stdin holds none" });
    return {
      json: await daemon.call("setSecrets", { params: { app }, body: { secrets } }),
      text: `Secrets of ${app} are set: ${names.join(", ")}`,
    };
  },
});
