import { fail } from "../../../errors/error.ts";
import { command, yesFlag } from "../../command.ts";

export const appsDestroy = command({
  name: "apps destroy",
  summary: "Destroy apps and their secrets",
  args: { apps: { summary: "Their names", many: true } },
  flags: { yes: yesFlag },
  examples: ["perch apps destroy web", "perch apps destroy web worker --yes"],
  needs: ["daemon"],
  routes: ["listApps", "destroyApp"],
  async run({ args, flags, daemon, terminal }) {
    const there = flags.yes || terminal.interactive ? await daemon.call("listApps", {}) : [];
    for (const app of args.apps) {
      // Before the question: it would be about something else.
      if (there.find(({ name }) => name === app)?.kind === "cluster") throw fail("app_is_cluster", { app });
      const consent = {
        yes: flags.yes,
        warning: "Destroying an app is not reversible.",
        question: `Destroy app ${app}?`,
        what: `Destroying app ${app}`,
      };
      if (!(await terminal.consent(consent))) continue;
      await daemon.call("destroyApp", { params: { app } });
      terminal.print(`Destroyed app ${app}`);
    }
    return undefined;
  },
});
