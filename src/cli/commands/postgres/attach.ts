import type { Answer, Input } from "../../../client/client.ts";
import { counted } from "../../../base/count.ts";
import { maskUrl } from "../../../base/redact.ts";
import { fail, isCode } from "../../../errors/error.ts";
import { identifierOfApp } from "../../../model/name.ts";
import { command, type Daemon } from "../../command.ts";
import { rotatedText } from "../../output/rotation-text.ts";
import type { Terminal } from "../../output/terminal.ts";
import { overlapFlag, overlapFrom } from "../../overlap.ts";
import { flagName } from "../../parse.ts";

export const postgresAttach = command({
  name: "postgres attach",
  summary: "Give an app its own role and database in a cluster, and the URL as a secret",
  details:
    "The role owns the database and is no superuser unless asked; extensions that it may not create: docs/extensions.md. The URL is set as the secret DATABASE_URL, which perch run gives to the app; here it is shown without its password. Apps that share a database (--yes) work in it as the role that owns it, so what one makes belongs to all of them. All or nothing: a failure half-way leaves nothing behind. With --rotate an app that is attached already gets a new password, and no query of it fails (docs/rotation.md).",
  args: { cluster: { summary: "The cluster" } },
  flags: {
    databaseName: { type: "string", value: "NAME", summary: "The database (default the app's name)" },
    databaseUser: { type: "string", value: "NAME", summary: "The role (default the app's name)" },
    variableName: { type: "string", value: "NAME", summary: "The secret that holds the URL (default DATABASE_URL)" },
    superuser: { type: "boolean", summary: "Make the role a superuser" },
    scheme: {
      type: "string",
      summary: "How the URL begins (default postgres); SQLAlchemy wants postgresql",
      choices: ["postgres", "postgresql"],
    },
    pooled: { type: "boolean", summary: "Point the URL at the cluster's pooler, port 6432" },
    connectionLimit: {
      type: "string",
      value: "COUNT",
      summary:
        "How many connections the role may have, or none for no limit (default a third of max_connections); changes that of an app that is attached",
    },
    ifNotAttached: { type: "boolean", summary: "Accept it when the app is attached already" },
    yes: { type: "boolean", short: "y", summary: "Use a database that exists already without asking" },
    rotate: { type: "boolean", summary: "Give the app that is attached a new password and the new URL" },
    overlap: overlapFlag,
  },
  examples: [
    "perch postgres attach pg --app web",
    "perch pg attach pg -a worker --database-name web --database-user worker --yes",
    "perch postgres attach pg -a web --rotate",
  ],
  needs: ["json", "daemon", "app"],
  routes: ["attach", "rotateAttachment", "limitAttachment"],
  async run({ args, flags, app, daemon, terminal }) {
    if (flags.rotate) return rotate(daemon, args.cluster, app, flags);
    if (flags.overlap !== undefined) throw fail("usage_invalid", { reason: "--overlap goes with --rotate only" });
    const connectionLimit = limitFrom(flags.connectionLimit);
    const attachment = await attachOrLimit(daemon, terminal, args.cluster, {
      yes: flags.yes,
      body: {
        app,
        ...(flags.variableName === undefined ? {} : { variable: flags.variableName }),
        superuser: flags.superuser,
        scheme: flags.scheme === "postgresql" ? "postgresql" : "postgres",
        ifNotAttached: flags.ifNotAttached,
        pooled: flags.pooled,
        ...(connectionLimit === undefined ? {} : { connectionLimit }),
        ...(flags.databaseName === undefined ? {} : { database: flags.databaseName }),
        ...(flags.databaseUser === undefined ? {} : { user: flags.databaseUser }),
      },
    });
    if (attachment !== undefined && !("url" in attachment))
      return { json: attachment, text: `${app} may have ${limitText(attachment.connectionLimit)} to ${args.cluster}` };
    return attachment === undefined
      ? undefined
      : { json: { ...attachment, url: maskUrl(attachment.url) }, text: attachedText(attachment) };
  },
});

interface RotateFlags {
  variableName: string | undefined;
  overlap: string | undefined;
}

/** For an app that is attached: nothing of the attachment changes but its password. */
async function rotate(daemon: Daemon, cluster: string, app: string, flags: RotateFlags & Record<string, unknown>) {
  const { variableName, overlap, rotate: _itself, app: _app, config: _config, json: _json, ...others } = flags;
  const [other] = Object.entries(others).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [name],
  );
  if (other !== undefined)
    throw fail("usage_invalid", {
      reason: `--rotate changes the password alone; it does not go with --${flagName(other)}`,
    });
  const variable = variableName === undefined ? {} : { variable: variableName };
  const rotated = await daemon.call("rotateAttachment", {
    params: { cluster },
    body: { app, ...variable, ...overlapFrom(overlap) },
  });
  return {
    json: rotated,
    text: [`${app} has a new password for ${cluster}, as user ${rotated.user}`, rotatedText(rotated)].join("\n"),
  };
}

/** -1 is PostgreSQL's word for none. */
function limitFrom(flag: string | undefined): number | undefined {
  if (flag === undefined) return undefined;
  if (flag === "none") return -1;
  if (!/^[1-9]\d{0,5}$/.test(flag))
    throw fail("usage_invalid", { reason: "--connection-limit takes a number from 1 on, or none" });
  return Number(flag);
}

const limitText = (limit: number | null): string =>
  limit === null || limit < 0 ? "any number of connections" : `${counted(limit, "connection")} at a time`;

/** An app that is attached already has its limit changed, where one is given. */
async function attachOrLimit(
  daemon: Daemon,
  terminal: Terminal,
  cluster: string,
  wish: { body: Input<"attach">["body"]; yes: boolean },
): Promise<Answer<"attach"> | Answer<"limitAttachment"> | undefined> {
  const { app, variable, connectionLimit } = wish.body;
  try {
    return await attach(daemon, terminal, cluster, wish);
  } catch (error) {
    if (connectionLimit === undefined || !isCode(error, "already_attached")) throw error;
    return daemon.call("limitAttachment", {
      params: { cluster },
      body: { app, connectionLimit, ...(variable === undefined ? {} : { variable }) },
    });
  }
}

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
  const unprepared = attachment.preparedStatements
    ? []
    : [
        `No client may prepare statements through this pooler. For how each is told: perch postgres recipe CLIENT -a ${app}`,
      ];
  if (!attachment.new)
    return [`Postgres cluster ${cluster} was attached to ${app} already, as ${variable}`, ...unprepared].join("\n");
  return [
    `Postgres cluster ${cluster} is now attached to ${app}`,
    `The following secret was added to ${app}:`,
    `  ${variable}=${maskUrl(url)}`,
    `Its role may have ${limitText(attachment.connectionLimit)}`,
    `The app gets it, with its password, from: perch run -a ${app} -- COMMAND`,
    ...unprepared,
  ].join("\n");
}
