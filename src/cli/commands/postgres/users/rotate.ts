import { command } from "../../../command.ts";
import { passwordFrom } from "../../../input.ts";
import { rotatedText } from "../../../output/rotation-text.ts";
import { overlapFlag, overlapFrom } from "../../../overlap.ts";

export const usersRotate = command({
  name: "postgres users rotate",
  summary: "Give a user a new password, and the app attached with it the new URL",
  details:
    "No query of an attached app fails: the new password is that of another login of the same role, and the old one works until what perch run had started with it has ended, a day at most; with --overlap, for that time whatever ends. The password of a user without an attachment changes at once. See docs/rotation.md.",
  args: { user: { summary: "Its name" } },
  flags: {
    password: {
      type: "string",
      short: "p",
      value: "PASSWORD",
      summary: "- reads it from stdin; as an argument it is visible in the process list (default a random one)",
    },
    overlap: overlapFlag,
  },
  examples: [
    "perch postgres users rotate web -a pg",
    "perch postgres users rotate web -a pg --overlap 7d",
    "perch postgres users rotate web -a pg --overlap 0",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["rotateUser"],
  async run({ args, flags, cluster, daemon }) {
    const overlap = overlapFrom(flags.overlap);
    const password = await passwordFrom(flags.password);
    const body = { ...overlap, ...(password === undefined ? {} : { password }) };
    const rotated = await daemon.call("rotateUser", { params: { cluster, user: args.user }, body });
    const save = rotated.apps.length === 0 ? ["Save it in a secure place -- you won't be able to see it again!"] : [];
    return {
      json: rotated,
      text: [`User ${rotated.user} has the new password ${rotated.password}`, ...save, rotatedText(rotated)].join("\n"),
    };
  },
});
