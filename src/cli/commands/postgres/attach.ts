import type { Answer, Input } from "../../../client/client.ts";
import { maskUrl } from "../../../base/redact.ts";
import { isCode } from "../../../errors/error.ts";
import { identifierOfApp } from "../../../model/name.ts";
import { command, type Daemon } from "../../command.ts";
import type { Terminal } from "../../output/terminal.ts";

export const postgresAttach = command({
  name: "postgres attach",
  summary: "Give an app its own role and database in a cluster, and the URL as a secret",
  details:
    "The role owns the database and is no superuser unless asked. The URL is set as the secret DATABASE_URL, which perch run gives to the app; here it is shown without its password. Apps that share a database (--yes) work in it as the role that owns it, so what one makes belongs to all of them. All or nothing: a failure half-way leaves nothing behind.",
  args: { cluster: { summary: "The cluster" } },
  flags: {
    databaseName: { type: "string", value: "NAME", summary: "The database; the app's name without it" },
    databaseUser: { type: "string", value: "NAME", summary: "The role; the app's name without it" },
    variableName: { type: "string", value: "NAME", summary: "The secret that holds the URL", default: "DATABASE_URL" },
    superuser: { type: "boolean", summary: "Make the role a superuser" },
    scheme: { type: "string", summary: "How the URL begins; SQLAlchemy wants postgresql", choices: ["postgres", "postgresql"], default: "postgres" },
    pooled: { type: "boolean", summary: "Lead the URL through the cluster's pooler, port 6432" },
    ifNotAttached: { type: "boolean", summary: "Accept it when the app is attached already" },
    yes: { type: "boolean", short: "y", summary: "Take a database that exists already without asking" },
  },
  examples: ["perch postgres attach pg --app web", "perch pg attach pg -a worker --database-name web --database-user worker --yes"],
  needs: ["json", "daemon", "app"],
  routes: ["attach"],
  async run({ args, flags, app, daemon, terminal }) {
    const attachment = await attach(daemon, terminal, args.cluster, {
      yes: flags.yes,
      body: {
        app,
        variable: flags.variableName,
        superuser: flags.superuser,
        scheme: flags.scheme === "postgresql" ? "postgresql" : "postgres",
        ifNotAttached: flags.ifNotAttached,
        pooled: flags.pooled,
        ...(flags.databaseName === undefined ? {} : { database: flags.databaseName }),
        ...(flags.databaseUser === undefined ? {} : { user: flags.databaseUser }),
      },
    });
    return attachment === undefined ? undefined : { json: { ...attachment, url: maskUrl(attachment.url) }, text: attachedText(attachment) };
  },
});

/** Attaches; where the database exists, asks first whether it shall be that one. Undefined when the answer is no. */
async function attach(
  daemon: Daemon,
  terminal: Terminal,
  cluster: string,
  { body, yes }: { body: Input<"attach">["body"]; yes: boolean },
): Promise<Answer<"attach"> | undefined> {
  try {
    return await daemon.call("attach", { params: { cluster }, body: { ...body, existingDatabase: yes } });
  } catch (error) {
    if (!isCode(error, "database_exists") || !terminal.interactive) throw error;
    terminal.progress.stop();
    const question = `Database "${body.database ?? identifierOfApp(body.app)}" already exists. Continue with the attachment process?`;
    if (!(await terminal.consent({ yes: false, question, what: "Attaching" }))) return undefined;
    return daemon.call("attach", { params: { cluster }, body: { ...body, existingDatabase: true } });
  }
}

/** flyctl's sentences; the password is masked. Pure. */
export function attachedText(attachment: Answer<"attach">): string {
  const { app, cluster, variable, url } = attachment;
  if (!attachment.new) return `Postgres cluster ${cluster} was attached to ${app} already, as ${variable}`;
  return [
    `Postgres cluster ${cluster} is now attached to ${app}`,
    `The following secret was added to ${app}:`,
    `  ${variable}=${maskUrl(url)}`,
    `The app gets it, with its password, from: perch run -a ${app} -- COMMAND`,
  ].join("\n");
}
