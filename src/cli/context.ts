import type { Client } from "../client/client.ts";
import { fail } from "../errors/error.ts";
import type { Command, Daemon } from "./command.ts";
import type { Terminal } from "./output/terminal.ts";
import type { Parsed } from "./parse-nothing.ts";
import type { Target } from "./target.ts";

/**
 * What a handler gets: what was typed, the terminal, and what its `needs` name. A need that is not met is an error
 * before the handler begins.
 */
export async function contextOf(
  command: Command,
  parsed: Parsed,
  around: { terminal: Terminal; target: Target | undefined; signal: AbortSignal },
): Promise<unknown> {
  const { terminal, target, signal } = around;
  const context: Record<string, unknown> = {
    args: parsed.args,
    flags: parsed.flags,
    terminal,
    home: target?.home,
    allNetworks: target?.allNetworks,
    signal,
  };
  for (const need of command.needs) {
    if (need === "daemon" && target !== undefined) context[need] = daemonOf(await target.reach(), terminal, signal);
    if (need === "cluster") context[need] = clusterOf(parsed);
    if (need === "app") context[need] = await appOf(parsed);
  }
  return context;
}

export function daemonOf(client: Client, terminal: Terminal, signal: AbortSignal): Daemon {
  return {
    call: (name, input) =>
      client.call(name, input, { signal, onProgress: (sentence) => terminal.progress.say(sentence) }),
    feed: (name, input) => client.feed(name, input, signal),
    tunnel: (to) => client.tunnel(to),
  };
}

function clusterOf({ args, flags }: Parsed): string {
  const named = [args["cluster"], flags["app"]].filter((name) => typeof name === "string");
  const [cluster] = named;
  if (cluster === undefined) throw fail("no_cluster", {});
  if (named.length === 2 && named[0] !== named[1])
    throw fail("usage_invalid", { reason: `two clusters were named, ${named.join(" and ")}` });
  return cluster;
}

async function appOf({ flags }: Parsed): Promise<string> {
  if (typeof flags["app"] === "string") return flags["app"];
  const { findConfig } = await import("./config-file.ts");
  const config = await findConfig(process.cwd(), flags["config"] as string | undefined);
  if (config?.app === undefined) throw fail("no_app", {});
  return config.app;
}
