import { run } from "../host/command.ts";

/**
 * Sets the loopback up; twice is the same as once. It has a second IPv4 address: where 127.0.0.1 is the only one, getaddrinfo with AI_ADDRCONFIG leaves
 * IPv4 out, and a program that asks so, as all on Node.js do, does not find `localhost`. Where there is a way out of the network, what is no address of this one
 * must not take it: the host may have a route to another network of Perch.
 */
export async function raiseLoopback(enter: readonly string[]): Promise<void> {
  await run([...enter, "ip", "-batch", "-"], { input: "link set lo up\naddress replace 127.0.0.2/8 dev lo\nroute replace unreachable fdaa::/16\n" });
}
