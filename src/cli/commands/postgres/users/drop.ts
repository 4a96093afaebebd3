import { fail } from "../../../../errors/error.ts";
import { command, yesFlag } from "../../../command.ts";

export const usersDrop = command({
  name: "postgres users drop",
  summary: "Drop a user that owns nothing",
  args: { user: { summary: "Its name" } },
  flags: { yes: yesFlag },
  examples: ["perch postgres users drop reader -a pg --yes"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listUsers", "dropUser"],
  async run({ args, flags, cluster, daemon, terminal }) {
    const { user } = args;
    // A question about what is not there is none; with --yes dropping it says so.
    const there = flags.yes ? undefined : await daemon.call("listUsers", { params: { cluster } });
    if (there?.every(({ name }) => name !== user)) throw fail("user_not_found", { user, app: cluster });
    if (
      !(await terminal.consent({
        yes: flags.yes,
        question: `Drop user ${user} of ${cluster}?`,
        what: `Dropping user ${user}`,
      }))
    )
      return undefined;
    await daemon.call("dropUser", { params: { cluster, user } });
    return { json: { name: user }, text: `Dropped user ${user}` };
  },
});
