import { command } from "../../../command.ts";
import { passwordFrom } from "../../../input.ts";

export const usersRotate = command({
  name: "postgres users rotate",
  summary: "Give a user a new password, and the apps attached with it the new URL",
  args: { user: { summary: "Its name" } },
  flags: { password: { type: "string", short: "p", value: "PASSWORD", summary: "- reads it from stdin; random where none is given" } },
  examples: ["perch postgres users rotate web -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["rotateUser"],
  async run({ args, flags, cluster, daemon }) {
    const password = await passwordFrom(flags.password);
    const rotated = await daemon.call("rotateUser", { params: { cluster, user: args.user }, body: password === undefined ? {} : { password } });
    const { user, apps } = rotated;
    const given =
      apps.length === 0 ? "Save it in a secure place -- you won't be able to see it again!" : `Its new URL is set as a secret of: ${apps.join(", ")}`;
    return { json: rotated, text: `User ${user} has the new password ${rotated.password}\n${given}` };
  },
});
