import { command } from "../../../command.ts";
import { passwordFrom } from "../../../input.ts";

export const usersCreate = command({
  name: "postgres users create",
  summary: "Create a user; its password is shown once",
  args: { user: { summary: "Its name" } },
  flags: {
    password: {
      type: "string",
      short: "p",
      value: "PASSWORD",
      summary: "- reads it from stdin; as an argument it is visible in the process list (default a random one)",
    },
    superuser: { type: "boolean", summary: "Make it a superuser" },
  },
  examples: ["perch postgres users create reader -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["createUser"],
  async run({ args, flags, cluster, daemon }) {
    const password = await passwordFrom(flags.password);
    const created = await daemon.call("createUser", {
      params: { cluster },
      body: { name: args.user, superuser: flags.superuser, ...(password === undefined ? {} : { password }) },
    });
    return {
      json: created,
      text: `Created user ${created.user} with password ${created.password}\nSave it in a secure place -- you won't be able to see it again!`,
    };
  },
});
