import { command } from "../../../command.ts";

export const dbCreate = command({
  name: "postgres db create",
  summary: "Create a database",
  args: { database: { summary: "Its name" } },
  flags: { owner: { type: "string", value: "USER", summary: "The user that owns it (default postgres)" } },
  examples: ["perch postgres db create reports -a pg --owner web"],
  needs: ["json", "daemon", "cluster"],
  routes: ["createDatabase"],
  async run({ args, flags, cluster, daemon }) {
    const database = await daemon.call("createDatabase", {
      params: { cluster },
      body: { name: args.database, ...(flags.owner === undefined ? {} : { owner: flags.owner }) },
    });
    return { json: database, text: `Created database ${database.name}, owned by ${database.owner}` };
  },
});
