import type { Server, Socket } from "node:net";
import { steadyNow } from "../../base/clock.ts";
import { crowd } from "../../host/sockets/connection-limiter.ts";
import { gate } from "../../host/sockets/admission.ts";
import { doorAddress, sourceOf } from "../../model/door-address.ts";
import type { DoorLimits } from "../../model/exposure.ts";

/**
 * How many connections a server of the API bears, in all and of one source, counted before TLS or HTTP hears of them.
 * Strangers make room (see host/sockets/connection-limiter.ts).
 */
export interface Visitors {
  /** Whoever speaks on that connection is no stranger any more. Takes a TLS socket for the one below it. */
  recognise(socket: Socket): void;
  /** Hangs up on all strangers. */
  close(): void;
}

/** Nobody is shut out here: of wrong tokens the guard knows. */
const nobodyFails = { failures: Infinity, failuresWithin: 1, shutFor: 1 };

export function visitorsOf(server: Server, limits: Pick<DoorLimits, "total" | "perSource" | "perSecond">): Visitors {
  const inside = crowd(gate({ ...limits, ...nobodyFails }, steadyNow));
  const byEnd = new Map<string, Socket>();
  const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    if (!inside.enter(socket, sourceFor(socket.remoteAddress))) return refuse(socket);
    const end = endOf(socket);
    if (end !== undefined) {
      byEnd.set(end, socket);
      socket.once("close", () => {
        if (byEnd.get(end) === socket) byEnd.delete(end);
      });
    }
    for (const listener of listeners) listener.call(server, socket);
  });
  return {
    recognise: (socket) => inside.recognise(byEnd.get(endOf(socket) ?? "") ?? socket),
    close() {
      for (const socket of inside.strangers()) socket.destroy();
    },
  };
}

/** What a TLS socket has in common with the one below it. A unix socket has none, and no TLS. */
const endOf = ({ remoteAddress, remotePort }: Socket): string | undefined =>
  remotePort === undefined ? undefined : `${remoteAddress ?? ""} ${remotePort}`;

const sourceFor = (address: string | undefined): string =>
  (address === undefined ? undefined : sourceOf(doorAddress("fdaa:0:0", address))) ?? "this host";

function refuse(socket: Socket): void {
  socket.on("error", () => undefined);
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
