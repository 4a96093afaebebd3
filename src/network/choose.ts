import { aptLine } from "../host/system/packages.ts";
import { fail } from "../errors/error.ts";
import { CommandError, run } from "../host/process/command.ts";
import { findProgram, type Owner } from "../host/files/files.ts";
import { type Home, isRoot } from "../host/system/home.ts";
import type { ProcessIdentity } from "../model/records.ts";
import { type Namespace, namespaceTools } from "./namespace.ts";
import { portableNamespace } from "./portable.ts";
import { rootNamespace } from "./root-namespace.ts";
import { tableText } from "./rules.ts";
import { userNamespace } from "./user-namespace.ts";

/** What is known about this host before a namespace is tried. */
export interface HostFacts {
  platform: string;
  root: boolean;
  portableWanted: boolean;
  missingPrograms: readonly string[];
}

export type Choice =
  | { way: "root" | "user" }
  | { way: "portable"; why: string }
  | { way: "install"; programs: readonly string[] };

/**
 * Which way to a network, from the facts alone. Missing tools are an error with their packages, never a silent step
 * down.
 */
export function chooseWay(facts: HostFacts): Choice {
  if (facts.portableWanted) return { way: "portable", why: "it was asked for" };
  if (facts.platform !== "linux") return { way: "portable", why: `${facts.platform} has no network namespaces` };
  if (facts.missingPrograms.length > 0) return { way: "install", programs: facts.missingPrograms };
  return { way: facts.root ? "root" : "user" };
}

export interface Opened {
  namespace: Namespace;
  /** Why it is portable, when it is and nobody asked for that. */
  fellBack?: string;
  /** Nothing can be running in it. */
  fresh: boolean;
}

export interface OpenOptions {
  portable: boolean;
  postgres: Owner | undefined;
  /** As whom servers run that were started by an older Perch. */
  former?: Owner | undefined;
  /** Processes that lived in it when it was last seen. */
  inside?: readonly ProcessIdentity[];
}

/**
 * Finds the way and makes or adopts the namespace. Where the system refuses one (a container without the right),
 * portable mode with the reason.
 */
export async function openNamespace(home: Home, options: OpenOptions): Promise<Opened> {
  const missing: string[] = [];
  for (const { program } of namespaceTools) if ((await findProgram(program)) === undefined) missing.push(program);
  const choice = chooseWay({
    platform: process.platform,
    root: isRoot(),
    portableWanted: options.portable,
    missingPrograms: missing,
  });

  if (choice.way === "install") {
    const packages = new Set(
      namespaceTools.filter((tool) => choice.programs.includes(tool.program)).map((tool) => tool.package),
    );
    throw fail("tools_missing", { tools: choice.programs.join(", "), how: await aptLine([...packages]) });
  }
  if (choice.way === "portable") {
    const fellBack = options.portable ? {} : { fellBack: choice.why };
    return { namespace: portableNamespace(options.postgres, options.former), fresh: false, ...fellBack };
  }
  const namespace =
    choice.way === "root"
      ? rootNamespace(home, options.postgres ?? { uid: 0, gid: 0 }, options.former)
      : userNamespace(home, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  let fresh = true;
  try {
    fresh = await namespace.ensure(options.inside);
    await run(namespace.place.tool(["nft", "--check", "-f", "-"]), { input: tableText });
    return { namespace, fresh };
  } catch (error) {
    // One that was there is lived in: it stays, and nobody is moved out of it to the host.
    if (!fresh)
      throw fail("namespace_unusable", { why: error instanceof Error ? error.message : String(error) }, error);
    // Why this way cannot be had is said; what it left goes with the process.
    await namespace.remove().catch(() => undefined);
    const why =
      error instanceof CommandError
        ? `the system refuses it (${error.message})`
        : String(error instanceof Error ? error.message : error);
    return { namespace: portableNamespace(options.postgres, options.former), fresh: false, fellBack: why };
  }
}
