import { fail } from "../../../../errors/error.ts";
import { command, yesFlag } from "../../../command.ts";

export const dbDrop = command({
  name: "postgres db drop",
  summary: "Drop a database; its connections end",
  args: { database: { summary: "Its name" } },
  flags: { yes: yesFlag },
  examples: ["perch postgres db drop reports -a pg --yes"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listDatabases", "dropDatabase"],
  async run({ args, flags, cluster, daemon, terminal }) {
    const { database } = args;
    // A question about what is not there is none; with --yes dropping it says so.
    const there = flags.yes ? undefined : await daemon.call("listDatabases", { params: { cluster } });
    if (there?.every(({ name }) => name !== database)) throw fail("database_not_found", { database, app: cluster });
    const consent = {
      yes: flags.yes,
      warning: "Dropping a database is not reversible.",
      question: `Drop database ${database} of ${cluster}?`,
      what: `Dropping database ${database}`,
    };
    if (!(await terminal.consent(consent))) return undefined;
    await daemon.call("dropDatabase", { params: { cluster, database } });
    return { json: { name: database }, text: `Dropped database ${database}` };
  },
});
