import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { readText } from "../files/files.ts";

/**
 * Whether nothing listens on this port of 127.0.0.1; and the port, chosen by the system where 0 is asked for. Undefined
 * when it is taken.
 */
export function freePort(port = 0): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port }, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}

/**
 * The UDP ports of this host that something is bound to, by reading only: to try one would take it from whoever is
 * about to.
 */
export async function boundUdpPorts(): Promise<Set<number>> {
  const tables = await Promise.all(
    // Without IPv6 the second file is not there.
    ["/proc/net/udp", "/proc/net/udp6"].map((path) => readText(path).catch(() => undefined)),
  );
  const lines = tables.flatMap((table) => (table ?? "").split("\n").slice(1));
  return new Set(
    lines
      .flatMap((line) => /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /.exec(line)?.[1] ?? [])
      .map((hex) => Number.parseInt(hex, 16)),
  );
}

/** A UDP port that nobody is bound to, chosen by the system. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
