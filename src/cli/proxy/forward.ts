import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fail, toPerchError } from "../../errors/error.ts";
import { join } from "../../host/sockets/join.ts";

/**
 * A port or a unix socket of this host that leads into the network: each connection to it is a tunnel of its own.
 */
export interface Forward {
  /** Where it listens, as it is written: `127.0.0.1:5432`, `[::1]:5432` or the path. */
  readonly at: string;
  /** Ends every connection, too. */
  close(): Promise<void>;
}

export type Local = { address: string; port: number } | { path: string };

/**
 * `note` is told, once a reason in a row, why a connection led nowhere: its caller only sees it break off. Rejects with
 * `proxy_listen`.
 */
export async function forward(
  local: Local,
  tunnel: () => Promise<Socket>,
  note: (text: string) => void,
): Promise<Forward> {
  const clients = new Set<Socket>();
  let said = "";
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
    (client) => {
      clients.add(client);
      client.once("close", () => clients.delete(client));
      client.on("error", () => undefined);
      void lead(client);
    },
  );

  async function lead(client: Socket): Promise<void> {
    try {
      const inside = await tunnel();
      said = "";
      if (client.destroyed) inside.destroy();
      else join(client, inside);
    } catch (error) {
      const { message } = toPerchError(error);
      if (message !== said) note(message);
      said = message;
      if ("path" in local) client.destroy();
      else client.resetAndDestroy();
    }
  }

  await listenAt(server, local);
  return {
    at: placeOf(server, local),
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

async function listenAt(server: Server, local: Local): Promise<void> {
  const attempt = async () => {
    const before = process.umask(0o077);
    try {
      server.listen("path" in local ? { path: local.path } : { host: local.address, port: local.port });
      await once(server, "listening");
    } finally {
      process.umask(before);
    }
  };
  try {
    await attempt().catch(async (error: NodeJS.ErrnoException) => {
      if (!("path" in local) || error.code !== "EADDRINUSE" || !(await isLeft(local.path))) throw error;
      rmSync(local.path);
      await attempt();
    });
  } catch (error) {
    const listen = "path" in local ? local.path : written(local.address, local.port);
    throw fail("proxy_listen", { listen, why: reasonOf(error as NodeJS.ErrnoException) }, error);
  }
}

/** A socket's file that a killed program left: nobody listens at it. */
async function isLeft(path: string): Promise<boolean> {
  const socket = connect(path);
  const refused = once(socket, "connect").then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
  );
  return refused.finally(() => socket.destroy());
}

function placeOf(server: Server, local: Local): string {
  const bound = server.address();
  return typeof bound === "object" && bound !== null
    ? written(bound.address, bound.port)
    : "path" in local
      ? local.path
      : "";
}

const written = (address: string, port: number): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`;

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "another program listens there";
  if (code === "EACCES") return "it is not allowed to this user";
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") return "this host does not have that address";
  return message;
}
