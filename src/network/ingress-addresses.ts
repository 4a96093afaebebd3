import { fail } from "../errors/error.ts";
import { run } from "../host/process/command.ts";
import type { Place } from "../host/process/place.ts";
import { doorNetwork } from "../model/door-address.ts";
import type { Claim } from "./kernel/claims.ts";

/**
 * What a public door needs of the namespace: it dials from an address that stands for its client, any of a /64, so all
 * of that are local (AnyIP), and may be bound though no interface has them. Twice is the same as once, and both go with
 * the namespace.
 */
export async function openDoorway(place: Place, prefix: string): Promise<void> {
  if (place.mode === "portable") {
    // 127.0.0.0/8 is local as a whole on Linux alone.
    if (process.platform !== "linux") throw fail("portable_mode", { what: "a public door" });
    return;
  }
  try {
    await run(place.tool(["ip", "-6", "-batch", "-"]), { input: doorwayCommands(prefix) });
    await run(place.tool(["sh", "-c", "echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind"]));
  } catch (error) {
    throw fail("door_failed", { why: error instanceof Error ? error.message : String(error) }, error);
  }
}

const doorwayCommands = (prefix: string): string => `route replace local ${doorNetwork(prefix)} dev lo\n`;

export const doorwayClaim = (place: Place, prefix: string): Claim => ({
  name: "the addresses of public doors",
  ip: doorwayCommands(prefix),
  set: () => openDoorway(place, prefix),
});
