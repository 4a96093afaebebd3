import { connect, type Socket } from "node:net";
import { pause } from "../base/deadline.ts";
import { speaks } from "../host/sockets/first-word.ts";
import { join } from "../host/sockets/join.ts";
import type { Target } from "./settings.ts";

/** The way of one connection through a door. Nothing that is said on it is read. */

/** Whoever says nothing for so long after connecting did not come to talk: PostgreSQL is not bothered for him. */
const firstByteMs = 10_000;
/** As long as a connection waits elsewhere while a cluster has no leader. */
const patienceMs = 8_000;
const againMs = 100;

/**
 * Waits for the client's first byte, dials the first target that answers from `from`, and joins the two; while none
 * answers it asks again. `targets` is asked each time, because they may change meanwhile; `heard` is called at the
 * first byte. Resolves when the connection is over.
 */
export async function lead(
  client: Socket,
  from: string,
  targets: () => readonly Target[],
  heard: () => void,
): Promise<void> {
  const over = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.on("error", () => undefined);
  client.setNoDelay(true);
  client.setKeepAlive(true, 60_000);
  if (await speaks(client, firstByteMs)) {
    heard();
    const upstream = await dial(client, from, targets);
    if (upstream === undefined) client.destroy();
    else join(client, upstream);
  } else client.destroy();
  return over;
}

async function dial(client: Socket, from: string, targets: () => readonly Target[]): Promise<Socket | undefined> {
  const end = performance.now() + patienceMs;
  while (!client.destroyed && performance.now() < end) {
    for (const target of targets()) {
      const upstream = await connected(target, from, end - performance.now());
      if (upstream === undefined) continue;
      if (!client.destroyed) return upstream;
      upstream.destroy();
    }
    await pause(againMs);
  }
  return undefined;
}

function connected({ host, port }: Target, localAddress: string, withinMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
    const timer = setTimeout(() => socket.destroy(), Math.max(1, withinMs));
    socket.on("error", () => undefined);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
