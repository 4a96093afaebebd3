import { connect, createServer, type Server, type Socket } from "node:net";
import { fail } from "../errors/error.ts";
import { withinDescriptors } from "../host/sockets/descriptors.ts";
import { speaks } from "../host/sockets/first-word.ts";
import { join } from "../host/sockets/join.ts";

/**
 * Portable mode's stand-in for the kernel map: a TCP port on 127.0.0.1 that leads to the leader's own port. It is
 * slower than the map (about 0.6 of a direct connection) and goes with perchd; where there is a namespace it is never
 * used.
 */
export interface Relay {
  readonly port: number;
  /**
   * Where new connections go from now on; "held" keeps them waiting for a while, undefined refuses them. Connections to
   * an earlier target end.
   */
  aim(target: Target): void;
  close(): Promise<void>;
}

export type Target = number | "held" | undefined;

/** Each has two ends. */
const maxConnections = withinDescriptors(1_000, 0.125);
/**
 * Whoever says nothing for so long did not come to talk: PostgreSQL is not bothered for him, and he makes room for
 * others.
 */
const firstByteMs = 10_000;
const patienceMs = 8_000;

/** Listens on 127.0.0.1. `port` 0 lets the system choose. */
export async function openRelay(port: number): Promise<Relay> {
  let target: Target;
  /** Those that wait for a target, each with the end of its patience. */
  const waiting = new Map<Socket, NodeJS.Timeout>();
  const open = new Set<Socket>();
  /** Those that have said nothing yet, oldest first. */
  const silent = new Set<Socket>();
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
    (client) => void enter(client),
  );

  async function enter(client: Socket): Promise<void> {
    if (target === undefined || !hasRoom()) return void client.destroy();
    client.on("error", () => undefined);
    client.once("close", () => silent.delete(client));
    silent.add(client);
    const spoke = await speaks(client, firstByteMs);
    silent.delete(client);
    if (target === "held" && spoke) wait(client);
    else if (target === undefined || target === "held" || !spoke) client.destroy();
    else lead(client, target);
  }

  function hasRoom(): boolean {
    if (open.size + waiting.size + silent.size < maxConnections) return true;
    const [oldest] = silent;
    if (oldest === undefined) return false;
    silent.delete(oldest);
    oldest.destroy();
    return true;
  }

  function wait(client: Socket): void {
    waiting.set(
      client,
      setTimeout(() => client.destroy(), patienceMs),
    );
    client.once("close", () => released(client));
  }

  function released(client: Socket): void {
    clearTimeout(waiting.get(client));
    waiting.delete(client);
  }

  function lead(client: Socket, to: number): void {
    const upstream = connect({
      host: "127.0.0.1",
      port: to,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    join(client, upstream);
    open.add(client);
    client.on("close", () => open.delete(client));
  }

  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    aim(next) {
      if (next === target) return;
      target = next;
      for (const client of open) client.destroy();
      if (next === "held") return;
      for (const client of waiting.keys()) {
        released(client);
        if (next === undefined) client.destroy();
        else lead(client, next);
      }
    },
    close() {
      for (const client of [...open, ...waiting.keys(), ...silent]) client.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        fail(
          "size_invalid",
          {
            what: "relay port",
            value: port,
            why: error.code === "EADDRINUSE" ? "another program listens on it" : error.message,
          },
          error,
        ),
      );
    });
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
}
