import { command } from "../../command.ts";
import { moment, table } from "../../output/columns.ts";

export const secretsList = command({
  name: "secrets list",
  summary: "List the secrets of an app: names and digests, never values",
  examples: ["perch secrets list -a web"],
  needs: ["json", "daemon", "app"],
  routes: ["listSecrets"],
  async run({ app, daemon }) {
    const secrets = await daemon.call("listSecrets", { params: { app } });
    const rows = secrets.map(({ name, digest, updatedAt }) => [name, digest, moment(updatedAt)]);
    return { json: secrets, text: table(["Name", "Digest", "Set at"], rows, `${app} has no secrets`) };
  },
});
