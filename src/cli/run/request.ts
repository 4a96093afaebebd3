import type { Flag } from "../command.ts";
import { publishedPort, type Publishing } from "./publish.ts";
import { type Config, findConfig } from "../config-file.ts";

/** What `perch run` and `perch shell` have in common. */
export const runFlags = {
  app: {
    type: "string",
    short: "a",
    value: "APP",
    summary: "The app whose secrets it gets (default the one that perch.toml or fly.toml names)",
  },
  config: { type: "string", short: "c", value: "FILE", summary: "A file in place of perch.toml or fly.toml" },
  region: {
    type: "string",
    short: "r",
    value: "REGION",
    summary: "The region it runs in (default the primary region)",
  },
  env: { type: "strings", short: "e", value: "NAME=VALUE", summary: "Set a variable over [env] and secrets" },
  publish: {
    type: "strings",
    short: "p",
    value: "PORT[:PORT]",
    summary: "Forward a port of this host to a port of the command, while it runs",
  },
  user: {
    type: "string",
    value: "NAME",
    summary: "As root: run as this user of the host, with its groups and no right of root",
  },
  publishAddress: {
    type: "string",
    value: "ADDRESS",
    summary: "The address of this host to publish at",
    default: "127.0.0.1",
  },
} as const satisfies Record<string, Flag>;

/** What `--publish` and `--publish-address` ask for. Throws `publish_invalid`. */
export const publishingOf = (
  flags: { publish: readonly string[]; publishAddress: string },
  note: (text: string) => void,
): Publishing => ({
  ports: flags.publish.map(publishedPort),
  address: flags.publishAddress,
  note,
});

/**
 * The app, and the file if it is about that app: `-a web` in the directory of another app means web without the other's
 * [env].
 */
export async function appAndConfig(flags: {
  app: string | undefined;
  config: string | undefined;
}): Promise<{ app: string | undefined; config: Config | undefined }> {
  const config = await findConfig(process.cwd(), flags.config);
  const app = flags.app ?? config?.app;
  const belongs = config?.app === undefined || config.app === app || flags.config !== undefined;
  return { app, config: belongs ? config : undefined };
}
