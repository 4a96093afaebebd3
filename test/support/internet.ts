import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll } from "vitest";
import { runToEnd, succeeded } from "./perch.ts";

/**
 * An Internet of two namespaces with a wire between them: in one stands the host of Perch at 203.0.113.1, in the other
 * everybody else, at as many addresses as are asked for. Neither is the namespace of the test, and whoever is in one of
 * them comes to the other over the wire alone.
 */
export interface Internet {
  /** argv that puts a program on the host, or among the strangers. */
  host: readonly string[];
  strangers: readonly string[];
  /** A connection from a stranger's address. Rejects with the reason when there is none. */
  dial(to: { host?: string; port: number; from?: string }): Promise<Socket>;
}

const made: string[] = [];
const helpers: ChildProcess[] = [];
afterAll(async () => {
  for (const helper of helpers.splice(0)) helper.kill("SIGKILL");
  for (const name of made.splice(0)) await runToEnd(["ip", "netns", "delete", name]);
});

export const hostAddress = "203.0.113.1";

export async function internet(addresses: readonly string[]): Promise<Internet> {
  const own = `pt${process.pid.toString(36)}`;
  const names = { host: `${own}-host`, strangers: `${own}-strangers` };
  const ip = async (...args: string[]) => succeeded(await runToEnd(["ip", ...args]));
  for (const name of Object.values(names)) {
    made.push(name);
    await ip("netns", "add", name);
    await ip("-n", name, "link", "set", "lo", "up");
  }
  await ip("-n", names.host, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", names.strangers);
  await ip("-n", names.host, "address", "add", `${hostAddress}/24`, "dev", "wire");
  await ip("-n", names.host, "address", "add", "2001:db8::1/48", "dev", "wire", "nodad");
  for (const address of addresses)
    await ip(
      "-n",
      names.strangers,
      "address",
      "add",
      `${address}${address.includes(":") ? "/48" : "/24"}`,
      "dev",
      "wire",
      "nodad",
    );
  for (const name of Object.values(names)) await ip("-n", name, "link", "set", "wire", "up");

  const enter = (name: string) => ["nsenter", `--net=/run/netns/${name}`, "--"];
  let helper: ChildProcess | undefined;
  let dialled = 0;
  return {
    host: enter(names.host),
    strangers: enter(names.strangers),
    async dial({ host = hostAddress, port, from = addresses[0] }) {
      helper ??= dialler(enter(names.strangers));
      const id = ++dialled;
      const child = helper;
      return new Promise((resolve, reject) => {
        const answer = (message: { id: number; error?: string }, socket: unknown) => {
          if (message.id !== id) return;
          child.off("message", answer);
          if (socket === undefined)
            reject(new Error(message.error ?? "the connection was gone before it was handed over"));
          else resolve(socket as Socket);
        };
        child.on("message", answer);
        child.send({ id, host, port, localAddress: from });
      });
    },
  };
}

/**
 * A socket keeps the namespace that it was made in: this program makes them among the strangers and hands them over.
 */
function dialler(enter: readonly string[]): ChildProcess {
  const [program, ...args] = [...enter, process.execPath, fileURLToPath(new URL("dialler.mjs", import.meta.url))];
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.setMaxListeners(0);
  helpers.push(child);
  return child;
}

/** A client of PostgreSQL over a connection that is there already. */
export async function sessionOver(socket: Socket, options: pg.ClientConfig): Promise<pg.Client> {
  const connected = Object.assign(socket, {
    connect() {
      process.nextTick(() => socket.emit("connect"));
      return socket;
    },
  });
  const client = new pg.Client({ connectionTimeoutMillis: 10_000, ...options, stream: () => connected });
  client.on("error", () => undefined);
  await client.connect().catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  return client;
}
