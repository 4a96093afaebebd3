import { fail, isCode } from "../../errors/error.ts";
import { type Command, command } from "../command.ts";
import { findConfig } from "../config-file.ts";
import { diagnoseNetwork } from "../diagnose-network.ts";
import { diagnosisText, networkDiagnosisText } from "../output/diagnosis-text.ts";

export const doctor: Command = command({
  name: "doctor",
  summary: "Say why an app cannot connect and what to do about it; without an app, check every cluster",
  details:
    "Goes the app's own way to its database, from inside the network and with its own URL, and says a line for each place a packet passes. It changes nothing. What cannot be looked at, because something before it is broken, has no line. For a cluster it goes the way as the role postgres; where no app is named, it does so for each cluster of the network.",
  flags: {
    app: {
      type: "string",
      short: "a",
      value: "APP",
      summary: "The app (default the one that perch.toml or fly.toml names, if any)",
    },
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      summary: "The file that names the app, in place of perch.toml or fly.toml",
    },
    variableName: {
      type: "string",
      value: "NAME",
      summary: "The secret of the app that holds the URL (default DATABASE_URL)",
    },
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "The region to ask from (default the primary region)",
    },
  },
  examples: ["perch doctor -a web", "perch doctor -a web --region lhr --json", "perch doctor"],
  needs: ["json", "daemon"],
  routes: ["doctor", "status", "dig"],
  async run({ flags, daemon, home, terminal }) {
    const app = flags.app ?? (await findConfig(process.cwd(), flags.config))?.app;
    const { variableName, region } = flags;
    if (app === undefined && variableName !== undefined)
      throw fail("usage_invalid", { reason: "perch doctor: --variable-name is of an app; give -a" });
    const variable = variableName ?? "DATABASE_URL";
    const unreachable = (error: unknown) => {
      if (!isCode(error, "daemon_not_running") && !isCode(error, "daemon_lost")) throw error;
      const { message } = fail("daemon_not_running", { home: home.root });
      return {
        ok: false,
        lines: [{ check: "daemon" as const, state: "fail" as const, sentence: message, next: "perch up" }],
      };
    };
    if (app === undefined) {
      const network = await diagnoseNetwork(daemon, region).catch((error: unknown) => ({
        ...unreachable(error),
        clusters: [],
      }));
      return { json: network, text: networkDiagnosisText(network, terminal.style), exit: network.ok ? 0 : 1 };
    }
    const query = { variable, ...(region === undefined ? {} : { region }) };
    const diagnosis = await daemon
      .call("doctor", { params: { app }, query })
      .catch((error: unknown) => ({ app, variable, ...unreachable(error) }));
    return { json: diagnosis, text: diagnosisText(diagnosis, terminal.style), exit: diagnosis.ok ? 0 : 1 };
  },
});
