import { fail } from "../../../errors/error.ts";
import { command, yesFlag } from "../../command.ts";

export const postgresDetach = command({
  name: "postgres detach",
  summary: "Remove an app's role and secret; its database stays",
  args: { cluster: { summary: "The cluster" } },
  flags: {
    variableName: { type: "string", value: "NAME", summary: "The secret of the attachment, where the app has several" },
    dropDatabase: { type: "boolean", summary: "Drop the database, too" },
    yes: yesFlag,
  },
  examples: ["perch postgres detach pg --app web", "perch postgres detach pg --app web --drop-database --yes"],
  needs: ["json", "daemon", "app"],
  routes: ["listAttachments", "detach"],
  async run({ args, flags, app, daemon, terminal }) {
    const { variableName, dropDatabase } = flags;
    if (dropDatabase) {
      // A question about what is not there is none; with --yes detaching says so.
      const there = flags.yes ? undefined : await daemon.call("listAttachments", { params: { cluster: args.cluster } });
      if (there?.every((attachment) => attachment.app !== app))
        throw fail("no_attachments", { app, cluster: args.cluster });
      const consent = {
        yes: flags.yes,
        warning: "Dropping a database is not reversible.",
        question: `Detach ${app} from ${args.cluster} and drop its database?`,
        what: `Dropping the database of ${app}`,
      };
      if (!(await terminal.consent(consent))) return undefined;
    }
    const gone = await daemon.call("detach", {
      params: { cluster: args.cluster },
      body: { app, dropDatabase, ...(variableName === undefined ? {} : { variable: variableName }) },
    });
    const database = dropDatabase ? `database ${gone.database} is dropped` : `database ${gone.database} stays`;
    return {
      json: gone,
      text: `Postgres cluster ${gone.cluster} is detached from ${gone.app}: user ${gone.user} and secret ${gone.variable} are gone, ${database}`,
    };
  },
});
