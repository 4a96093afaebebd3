import { run } from "../host/process/command.ts";
import type { Claim } from "./kernel/claims.ts";

/**
 * Sets the loopback up; twice is the same as once. It has a second IPv4 address: where 127.0.0.1 is the only one,
 * getaddrinfo with AI_ADDRCONFIG leaves IPv4 out, and a program that asks so, as all on Node.js do, does not find
 * `localhost`. Where there is a way out of the network, what is no address of this one must not take it: the host may
 * have a route to another network of Perch.
 */
export async function raiseLoopback(enter: readonly string[]): Promise<void> {
  await run([...enter, "ip", "-batch", "-"], { input: loopbackCommands });
}

export const loopbackClaim = (enter: readonly string[]): Claim => ({
  name: "the loopback",
  ip: loopbackCommands,
  set: () => raiseLoopback(enter),
});

/** With an MTU below 1280 there is no IPv6. */
export const loopbackCommands =
  "link set lo mtu 65536\nlink set lo up\naddress replace 127.0.0.1/8 dev lo\naddress replace 127.0.0.2/8 dev lo\naddress replace ::1/128 dev lo\nroute replace unreachable fdaa::/16\n";
