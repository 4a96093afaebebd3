import { command } from "../../command.ts";

export const secretsUnset = command({
  name: "secrets unset",
  summary: "Remove secrets of an app",
  args: { names: { summary: "Their names; one that is not there is no error", many: true } },
  examples: ["perch secrets unset -a web API_KEY"],
  needs: ["json", "daemon", "app"],
  routes: ["unsetSecrets"],
  async run({ args, app, daemon }) {
    const answer = await daemon.call("unsetSecrets", { params: { app }, body: { names: args.names } });
    return {
      json: answer,
      text:
        answer.removed.length === 0
          ? `${app} has none of these secrets`
          : `Secrets of ${app} are removed: ${answer.removed.join(", ")}`,
    };
  },
});
