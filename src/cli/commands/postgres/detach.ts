import { command, yesFlag } from "../../command.ts";

export const postgresDetach = command({
  name: "postgres detach",
  summary: "Take an app's role and secret away; its database stays",
  args: { cluster: { summary: "The cluster" } },
  flags: {
    variableName: { type: "string", value: "NAME", summary: "The secret of the attachment, where the app has several" },
    dropDatabase: { type: "boolean", summary: "Drop the database, too" },
    yes: yesFlag,
  },
  examples: ["perch postgres detach pg --app web", "perch postgres detach pg --app web --drop-database --yes"],
  needs: ["json", "daemon", "app"],
  routes: ["detach"],
  async run({ args, flags, app, daemon, terminal }) {
    const { variableName, dropDatabase } = flags;
    if (dropDatabase) {
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
