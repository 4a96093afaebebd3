import { fail } from "../../../errors/error.ts";
import { checkSecretName } from "../../../model/secret.ts";
import { command } from "../../command.ts";
import { findConfig } from "../../config-file.ts";
import { table } from "../../output/columns.ts";
import { findOwn } from "../../recipes/find-own.ts";
import { examplesOwn, type From, withOwn } from "../../recipes/own.ts";
import { readRecipe, readTitle } from "../../recipes/read.ts";
import { clients } from "../../recipes/recipe.ts";
import { recipeText, urlFrom } from "../../recipes/text.ts";

export const postgresRecipe = command({
  name: "postgres recipe",
  summary: "Print how a client connects: what to install, the lines to write, how to run it; list names the clients",
  details:
    "The lines are those of the examples, which the tests run, with the app's own variable, database and hosts; passwords are masked. Without an app they are written for an app web on a cluster pg.",
  args: { client: { summary: "The client, or list" } },
  flags: {
    app: {
      type: "string",
      short: "a",
      value: "APP",
      summary: "The app (default the one that perch.toml or fly.toml names, if any)",
    },
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      summary: "The file that names the app, in place of perch.toml or fly.toml",
    },
    variableName: { type: "string", value: "NAME", summary: "Which of the app's attachments, where it has several" },
    inside: { type: "boolean", summary: "For a program that perch run starts inside the private network: the default" },
    tunnel: {
      type: "boolean",
      summary: "For a program outside that has a WireGuard tunnel or a port forward into the private network",
    },
    external: {
      type: "string",
      value: "HOST",
      summary: "For a program outside that reaches the cluster by HOST or HOST:PORT",
    },
  },
  examples: [
    "perch postgres recipe list",
    "perch postgres recipe python -a web",
    "perch pg recipe node -a web --external db.example.com:5432",
  ],
  needs: ["json", "daemon"],
  routes: ["status", "listAttachments"],
  async run({ args, flags, daemon }) {
    if (args.client === "list") return listed();
    const from = fromOf(flags);
    const written = await readRecipe(args.client);
    const variable = flags.variableName === undefined ? undefined : checkSecretName(flags.variableName);
    const app = flags.app ?? (await findConfig(process.cwd(), flags.config))?.app;
    const own =
      app === undefined
        ? { ...examplesOwn, variable: variable ?? examplesOwn.variable }
        : await findOwn(daemon, app, variable);
    const { client, title, install, files, run, about, notes } = withOwn(written, own, from);
    return {
      json: {
        client,
        title,
        app: own.app,
        variable: own.variable,
        url: urlFrom(own.url, from),
        install,
        files,
        run,
        about,
        notes,
      },
      text: recipeText(written, own, from),
    };
  },
});

async function listed() {
  const rows = await Promise.all(clients.map(async (client) => ({ client, title: await readTitle(client) })));
  return {
    json: rows,
    text: table(
      ["Client", "Recipe"],
      rows.map(({ client, title }) => [client, title]),
      "",
    ),
  };
}

/** Pure. Throws `usage_invalid` for two ways at once and for what is no host. */
export function fromOf(flags: { inside: boolean; tunnel: boolean; external: string | undefined }): From {
  const { inside, tunnel, external } = flags;
  if ([inside, tunnel, external !== undefined].filter(Boolean).length > 1)
    throw fail("usage_invalid", { reason: "perch postgres recipe: choose one of --inside, --tunnel and --external" });
  if (external === undefined) return { way: tunnel ? "tunnel" : "inside" };
  const [, bracketed, name, bare, port = "5432"] =
    /^(?:(\[[\da-f:.]+\])|([a-z\d.-]+)|([\da-f.]*:[\da-f.]*:[\da-f:.]*))(?::(\d{1,5}))?$/i.exec(external) ?? [];
  const host = bracketed ?? name ?? (bare === undefined ? undefined : `[${bare}]`);
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw fail("usage_invalid", {
      reason: `perch postgres recipe: "${external.slice(0, 40)}" is not HOST or HOST:PORT`,
    });
  return { way: "external", host: `${host}:${port}` };
}
