import { command } from "../command.ts";
import { up, upText } from "../start.ts";

export const upCommand = command({
  name: "up",
  summary: "Start Perch, or take up again what runs",
  details:
    "Starts perchd in the background, makes the private network and brings back every cluster that was there. After a crash of perchd it adopts what still runs. Where no network namespace is to be had, it works in portable mode: ports on localhost, and no private network.",
  flags: {
    foreground: { type: "boolean", summary: "Stay in the foreground until Ctrl-C, which stops everything" },
    portable: { type: "boolean", summary: "Use ports on localhost in place of a private network" },
  },
  examples: ["perch up", "perch up --portable", "PERCH_HOME=./state perch up --foreground"],
  routes: ["status"],
  async run({ flags, home, terminal, signal }) {
    const result = await up({ home, terminal, signal, ...flags });
    terminal.print(upText(result));
    if (!flags.foreground || result.started === undefined) return undefined;
    const { started } = result;
    signal.addEventListener("abort", () => started.signal("SIGTERM"), { once: true });
    if (signal.aborted) started.signal("SIGTERM");
    return { exit: await started.ended };
  },
});
