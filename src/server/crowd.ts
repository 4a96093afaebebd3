import type { Server, Socket } from "node:net";
import { steadyNow } from "../base/clock.ts";
import { gate } from "../door/gate.ts";
import { doorAddress, sourceOf } from "../model/door-address.ts";
import type { DoorLimits } from "../model/exposure.ts";

/**
 * How many connections a server of the API bears, in all and of one source, counted before TLS or HTTP hears of them. A connection on which nobody has been
 * recognised yet is a stranger's: where there are too many, the oldest of those makes room, so that who says nothing keeps out nobody.
 */
export interface Crowd {
  /** Whoever speaks on that connection is no stranger any more. Takes the TLS socket for the one below it. */
  recognise(socket: Socket): void;
  /** Hangs up on all strangers. */
  close(): void;
}

interface Stranger {
  socket: Socket;
  source: string;
}

/** Nobody is shut out here: of wrong tokens the guard knows. */
const nobodyFails = { failures: Infinity, failuresWithin: 1, shutFor: 1 };

export function crowdOf(server: Server, limits: Pick<DoorLimits, "total" | "perSource" | "perSecond">): Crowd {
  const keeper = gate({ ...limits, ...nobodyFails }, steadyNow);
  /** Oldest first. */
  const strangers = new Map<unknown, Stranger>();
  const leaving = new WeakMap<Socket, () => void>();

  function makeRoom(source: string | undefined): boolean {
    for (const [key, stranger] of strangers) {
      if (source !== undefined && stranger.source !== source) continue;
      strangers.delete(key);
      leaving.get(stranger.socket)?.();
      stranger.socket.destroy();
      return true;
    }
    return false;
  }

  function admits(source: string): boolean {
    const refusal = keeper.admit(source);
    if (refusal === undefined) return true;
    if (refusal !== "full" && refusal !== "too many") return false;
    return makeRoom(refusal === "full" ? undefined : source) && keeper.admit(source) === undefined;
  }

  function enter(socket: Socket): boolean {
    const source = sourceFor(socket.remoteAddress);
    if (socket.destroyed || !admits(source)) return false;
    const key = keyOf(socket);
    strangers.set(key, { socket, source });
    const leave = () => {
      if (!leaving.delete(socket)) return;
      if (strangers.get(key)?.socket === socket) strangers.delete(key);
      keeper.left(source);
    };
    leaving.set(socket, leave);
    socket.once("close", leave);
    return true;
  }

  const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    if (enter(socket)) for (const listener of listeners) listener.call(server, socket);
    else refuse(socket);
  });

  return {
    recognise: (socket) => void strangers.delete(keyOf(socket)),
    close() {
      for (const { socket } of strangers.values()) socket.destroy();
    },
  };
}

/** The other end's address and port, which a TLS socket has in common with the one below it; a unix socket has neither and no TLS. */
const keyOf = (socket: Socket): unknown => (socket.remotePort === undefined ? socket : `${socket.remoteAddress ?? ""} ${socket.remotePort}`);

const sourceFor = (address: string | undefined): string =>
  (address === undefined ? undefined : sourceOf(doorAddress("fdaa:0:0", address))) ?? "this machine";

function refuse(socket: Socket): void {
  socket.on("error", () => undefined);
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
