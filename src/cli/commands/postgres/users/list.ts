import { command } from "../../../command.ts";
import { table } from "../../../output/columns.ts";

export const usersList = command({
  name: "postgres users list",
  summary: "List the users of a cluster",
  examples: ["perch postgres users list -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listUsers"],
  async run({ cluster, daemon }) {
    const users = await daemon.call("listUsers", { params: { cluster } });
    const rows = users.map(({ name, superuser, databases }) => [name, superuser ? "yes" : "no", databases.join(", ")]);
    return { json: users, text: table(["Name", "Superuser", "Databases"], rows, "No users") };
  },
});
