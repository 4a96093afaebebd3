import { command } from "../../../command.ts";
import { size } from "../../../../base/size.ts";
import { table } from "../../../output/columns.ts";

export const dbList = command({
  name: "postgres db list",
  summary: "List the databases of a cluster",
  examples: ["perch postgres db list -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listDatabases"],
  async run({ cluster, daemon }) {
    const databases = await daemon.call("listDatabases", { params: { cluster } });
    const rows = databases.map(({ name, owner, bytes, users }) => [name, owner, size(bytes), users.join(", ")]);
    return { json: databases, text: table(["Name", "Owner", "Size", "Users"], rows, "No databases") };
  },
});
