import { connect, type Socket } from "node:net";
import tls from "node:tls";
import type { Deeds, Doers, Tls, To } from "./deeds.ts";

const held = new Set<Socket>();
let closed = 0;

export function begin(to: To, secure?: Tls): Socket {
  if (secure !== undefined) return tls.connect({ host: "", port: 0, ...to, ...secure });
  return to.path === undefined ? connect({ host: "", port: 0, ...to }) : connect({ path: to.path });
}

/** A connection that has been made, or undefined where it was refused. What comes on it is dropped. */
function dial(to: To, secure?: Tls): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = begin(to, secure);
    socket.on("error", () => undefined);
    socket.once(secure === undefined ? "connect" : "secureConnect", () => resolve(socket));
    socket.once("close", () => resolve(undefined));
  });
}

function hold(socket: Socket): void {
  held.add(socket);
  socket.resume();
  const over = () => {
    if (held.delete(socket)) closed += 1;
  };
  if (socket.destroyed) over();
  else socket.once("close", over);
}

export const crowd: Doers["crowd"] = async ({ to, tls: secure, count: wanted, atOnce, say, dripMs }) => {
  const from = performance.now();
  let [begun, connected] = [0, 0];
  const one = async () => {
    while (begun < wanted) {
      begun += 1;
      const socket = await dial(to, secure);
      if (socket === undefined) continue;
      connected += 1;
      if (say !== undefined) socket.write(say, "latin1");
      hold(socket);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  if (dripMs !== undefined) setInterval(() => held.forEach((socket) => socket.write("x")), dripMs).unref();
  return { connected, refused: wanted - connected, ms: Math.round(performance.now() - from) };
};

export const count: Doers["count"] = () =>
  Promise.resolve({ open: held.size, closed, heard: [...held].filter((socket) => socket.bytesRead > 0).length });

export const leave: Doers["leave"] = () => {
  for (const socket of held) socket.destroy();
  held.clear();
  closed = 0;
  return Promise.resolve({});
};

type Pieces = Parameters<Deeds["pieces"]>[0];

export const pieces: Doers["pieces"] = async ({ to, from, base64, after }: Pieces) => {
  let longestMs = 0;
  const one = async (piece: string, localAddress: string) => {
    const socket = await dial({ ...to, localAddress });
    const since = performance.now();
    if (socket !== undefined && !socket.destroyed) {
      const over = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.resume();
      socket.write(Buffer.from(piece, "base64"), () => {
        if (after === "end") socket.end();
        else if (after === "reset") socket.resetAndDestroy();
      });
      await over;
    }
    longestMs = Math.max(longestMs, performance.now() - since);
  };
  await Promise.all(base64.map((piece, at) => one(piece, from[at % from.length] ?? "")));
  return { closed: base64.length, longestMs: Math.round(longestMs) };
};
