import { networkInterfaces } from "node:os";
import { serialise } from "../base/serialise.ts";
import { fail } from "../errors/error.ts";
import { run, succeeds } from "../host/process/command.ts";
import { findProgram } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { hostAddress, networkResolver } from "../model/address.ts";
import type { Claim } from "./kernel/claims.ts";
import {
  hostAccessRules,
  hostCommands,
  hostLink,
  insideCommands,
  insideLink,
  noHostAccessRules,
  resolvedCommands,
  resolverLines,
} from "./host-access-plan.ts";

/** The host's way into the network, set as it is wanted: twice is the same as once. */
export interface HostAccess {
  /** Rejects with `host_access_needs_root`, `portable_mode` or `host_access_failed`; nothing is half made then. */
  set(on: boolean): Promise<void>;
  /** As this perchd knows it; `left`: one before it made what is there. */
  look(): "open" | "left" | "closed";
  state(): Promise<HostAccessState>;
  /** What the kernel holds for it inside, while it is on. */
  claims(): Claim[];
}

export interface HostAccessState {
  on: boolean;
  interface: string;
  /** The host's own in the network. */
  address: string;
  resolver: string;
  /** Whether this host's resolver knows the names; if not, `lines` are what to add to it. */
  names: boolean;
  lines: string[];
}

export function hostAccess(home: Pick<Home, "id">, place: Place, prefix: string): HostAccess {
  const link = hostLink(home.id);
  const inTurn = serialise();
  let isOn = false;

  const there = () => succeeds(["ip", "link", "show", "dev", link]);
  const pair = () => succeeds(place.tool(["ip", "link", "show", "dev", insideLink]));

  async function remove(): Promise<void> {
    isOn = false;
    if (await there()) await run(["ip", "link", "delete", "dev", link]);
    await succeeds(place.tool(["nft", "-f", "-"]), { input: noHostAccessRules });
  }

  async function make(): Promise<void> {
    const namespace = place.joined?.().net;
    if (namespace === undefined) throw new Error("there is no namespace");
    // The rules first: there is no moment at which somebody may more than he should.
    await run(place.tool(["nft", "-f", "-"]), { input: hostAccessRules(prefix) });
    // An end without its other was left by a network that is gone.
    if ((await there()) && !(await pair())) await run(["ip", "link", "delete", "dev", link]);
    if (!(await there())) {
      await run([
        "ip",
        "link",
        "add",
        "name",
        link,
        "type",
        "veth",
        "peer",
        "name",
        insideLink,
        "netns",
        namespace.replace(/^.*\//, ""),
      ]);
    }
    await run(place.tool(["ip", "-6", "-batch", "-"]), { input: insideCommands(prefix) });
    await run(["ip", "-6", "-batch", "-"], { input: hostCommands(link, prefix) });
    if (await resolvedRuns()) for (const argv of resolvedCommands(link, prefix)) await run(argv);
    isOn = true;
  }

  async function set(on: boolean): Promise<void> {
    if (place.mode !== "root") {
      if (!on) return;
      throw place.mode === "portable"
        ? fail("portable_mode", { what: "perch host-access" })
        : fail("host_access_needs_root", {});
    }
    if (!on) return remove();
    try {
      await make();
    } catch (error) {
      // What failed first is thrown.
      await remove().catch(() => undefined);
      throw fail("host_access_failed", { why: error instanceof Error ? error.message : String(error) }, error);
    }
  }

  return {
    set: (on) => inTurn(() => set(on)),
    look() {
      if (place.mode !== "root" || networkInterfaces()[link] === undefined) return "closed";
      return isOn ? "open" : "left";
    },
    claims: () =>
      isOn
        ? [
            {
              name: "the host's way in",
              ip: insideCommands(prefix),
              nft: hostAccessRules(prefix),
              set: () => inTurn(() => set(true)),
            },
          ]
        : [],
    async state() {
      await inTurn(() => Promise.resolve()); // as it is when what was begun is through
      const on = place.mode === "root" && (await there());
      const names = on && (await resolvedRuns());
      const lines = on && !names ? resolverLines(prefix) : [];
      return { on, interface: link, address: hostAddress(prefix), resolver: networkResolver(prefix), names, lines };
    },
  };
}

const resolvedRuns = async (): Promise<boolean> =>
  (await findProgram("resolvectl")) !== undefined && succeeds(["resolvectl", "status"], { timeoutMs: 5_000 });
