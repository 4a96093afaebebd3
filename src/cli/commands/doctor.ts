import { fail, isCode } from "../../errors/error.ts";
import type { Diagnosis } from "../../api/schemas.ts";
import { command } from "../command.ts";
import { diagnosisText } from "../output/diagnosis-text.ts";

export const doctor = command({
  name: "doctor",
  summary: "Say why an app cannot connect, and what mends it",
  details:
    "Goes the app's own way to its database, from inside the network and with its own URL, and says a line for each place a packet passes. It changes nothing. What cannot be looked at, because something before it is broken, has no line. For a cluster it goes the way as the role postgres.",
  flags: {
    variableName: { type: "string", value: "NAME", summary: "The secret that holds the URL", default: "DATABASE_URL" },
    region: { type: "string", short: "r", value: "REGION", summary: "The region it is asked from; without it, the primary region" },
  },
  examples: ["perch doctor -a web", "perch doctor -a web --region lhr --json"],
  needs: ["json", "daemon", "app"],
  routes: ["doctor"],
  async run({ app, flags, daemon, home, terminal }) {
    const query = { variable: flags.variableName, ...(flags.region === undefined ? {} : { region: flags.region }) };
    const diagnosis = await daemon.call("doctor", { params: { app }, query }).catch((error: unknown): Diagnosis => {
      if (!isCode(error, "daemon_not_running") && !isCode(error, "daemon_lost")) throw error;
      const { message } = fail("daemon_not_running", { home: home.root });
      return { app, variable: flags.variableName, ok: false, lines: [{ check: "daemon", state: "fail", sentence: message, next: "perch up" }] };
    });
    return { json: diagnosis, text: diagnosisText(diagnosis, terminal.style), exit: diagnosis.ok ? 0 : 1 };
  },
});
