import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Server } from "node:net";
import type { Choices } from "./choices.ts";
import { eventually } from "./sockets.ts";

/** A client of something that leads connections to a server that says back what it hears. */

export interface Visit {
  /** What it did when it had said everything: heard everything and ended, ended at once, or broke off. */
  how: "patient" | "end" | "reset" | "destroy";
  said: number;
  back: number;
}

/**
 * Says bytes in pieces and ends in some way; what came back must be the beginning of what was said. `meanwhile` comes
 * when all is said.
 */
export async function visit(
  port: number,
  choices: Choices,
  meanwhile: () => unknown = () => undefined,
): Promise<Visit> {
  const size = choices.pick([0, 1, 100, 70_000, 300_000]);
  const bytes = Buffer.alloc(size, choices.take(7).toString("hex") || "x");
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const heard: Buffer[] = [];
  const how = choices.pick(["patient", "patient", "end", "end", "reset", "destroy"] as const);
  let back = 0;
  socket.on("error", () => undefined);
  socket.on("end", () => socket.end());
  socket.on("data", (chunk: Buffer) => {
    heard.push(chunk);
    back += chunk.length;
    if (how === "patient" && back >= size) socket.end();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const pieces = 1 + choices.below(5);
  for (let at = 0; at < pieces; at++)
    socket.write(bytes.subarray(Math.floor((size * at) / pieces), Math.floor((size * (at + 1)) / pieces)));
  if (choices.once(6)) socket.pause();
  await Promise.race([once(socket, "connect").catch(() => undefined), closed]);
  if (how === "end" || size === 0) socket.end();
  else if (how === "reset") socket.resetAndDestroy();
  else if (how === "destroy") socket.destroy();
  await meanwhile();
  socket.resume();
  await closed;
  assert.ok(Buffer.concat(heard).equals(bytes.subarray(0, back)), "what came back is not what was said");
  return { how, said: size, back };
}

const nothing: Choices = {
  left: 0,
  byte: () => 0,
  below: () => 0,
  pick: ([first]) => first as never,
  once: () => false,
  take: () => Buffer.alloc(0),
};

/** One that wants nothing but its answer. */
export async function ordinaryVisit(port: number): Promise<void> {
  const sizes: Choices = { ...nothing, pick: (from) => from[Math.min(3, from.length - 1)] as (typeof from)[number] };
  const { said, back } = await visit(port, {
    ...sizes,
    pick: (from) => (typeof from[0] === "number" ? sizes.pick(from) : (from[0] as (typeof from)[number])),
  });
  assert.equal(back, said, "an ordinary client did not get its whole answer");
}

export const allGone = (...servers: Server[]): Promise<void> =>
  eventually("every connection has ended", async () => {
    const counts = await Promise.all(
      servers.map((server) => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))),
    );
    return counts.every((count) => count === 0);
  });
