import { fail } from "../../../errors/error.ts";
import { checkAppName } from "../../../model/name.ts";
import { command, yesFlag } from "../../command.ts";

export const appsDestroy = command({
  name: "apps destroy",
  summary: "Destroy apps and their secrets",
  args: { apps: { summary: "Their names", many: true } },
  flags: { yes: yesFlag },
  examples: ["perch apps destroy web", "perch apps destroy web worker --yes"],
  needs: ["json", "daemon"],
  routes: ["listApps", "destroyApp"],
  async run({ args, flags, daemon, terminal }) {
    const there = await daemon.call("listApps", {});
    // All are looked at before a question is asked or one is destroyed.
    for (const app of args.apps) {
      const kind = there.find(({ name }) => name === app)?.kind;
      if (kind === undefined) throw fail("app_not_found", { app: checkAppName(app) });
      if (kind === "cluster") throw fail("app_is_cluster", { app });
    }
    const destroyed: string[] = [];
    for (const app of args.apps) {
      const consent = {
        yes: flags.yes,
        warning: "Destroying an app is not reversible.",
        question: `Destroy app ${app}?`,
        what: `Destroying app ${app}`,
      };
      if (!(await terminal.consent(consent))) continue;
      await daemon.call("destroyApp", { params: { app } });
      destroyed.push(app);
      if (!flags.json) terminal.print(`Destroyed app ${app}`);
    }
    return { json: destroyed.map((name) => ({ name })) };
  },
});
