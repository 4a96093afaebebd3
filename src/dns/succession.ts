import { Socket as UdpSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import { startWithHandles } from "../host/sockets/handles.ts";
import type { Binding, Sockets } from "./sockets.ts";
import { readZoneData, type ZoneData } from "./zone-data.ts";

/**
 * One name server takes over from another, of another version of Perch, without a question unanswered: the old one
 * starts the new one and sends it its sockets and its zone over Node's IPC. Both have the same sockets then, and
 * whoever is asked answers; the old one ends when nothing is under way with it.
 */

const readyWithinMs = 15_000;

/**
 * Starts the successor and gives it everything. Resolves when it answers at the control socket; until then, and for
 * good when this rejects, nothing has changed.
 */
export async function handOver(argv: readonly string[], sockets: Sockets, zone: ZoneData): Promise<void> {
  const handles = [
    ...sockets.udp.map(({ binding, socket }) => ({ message: { binding }, handle: socket })),
    ...sockets.tcp.map(({ binding, server }) => ({ message: { binding }, handle: server })),
  ];
  // What it says goes where we say it.
  await startWithHandles(argv, { zone }, handles, { outputFd: 1, timeoutMs: readyWithinMs });
}

type Inherited = { zone: unknown } | { binding: Binding } | { done: true };

interface Inheritance {
  sockets: Sockets;
  /** Undefined where the old one's cannot be read here. */
  zone: ZoneData | undefined;
  /**
   * Whoever came between the sockets' coming and their being served: Node reads from a socket as soon as it is there.
   */
  replay(): void;
}

/** The successor's side. */
export function inherit(): Promise<Inheritance> {
  const sockets: Sockets = { udp: [], tcp: [] };
  const early: (() => void)[] = [];
  const replay = () => {
    for (const { socket } of sockets.udp) socket.off("message", keepMessage);
    for (const { server } of sockets.tcp) server.off("connection", keepConnection);
    for (const again of early.splice(0)) again();
  };
  function keepMessage(this: UdpSocket, ...message: unknown[]): void {
    early.push(() => this.emit("message", ...message));
  }
  function keepConnection(this: Server, connection: Socket): void {
    early.push(() => this.emit("connection", connection));
  }
  return new Promise((resolve, reject) => {
    process.once("disconnect", () => reject(new Error("the one before is gone")));
    let zone: ZoneData | undefined;
    process.on("message", (message: Inherited, handle: unknown) => {
      if ("zone" in message) {
        zone = zoneIn(message.zone);
        process.send?.({ listening: true });
      } else if ("done" in message) resolve({ sockets, zone, replay });
      else if (handle instanceof UdpSocket)
        sockets.udp.push({ binding: message.binding, socket: handle.on("message", keepMessage) });
      else sockets.tcp.push({ binding: message.binding, server: (handle as Server).on("connection", keepConnection) });
    });
  });
}

function zoneIn(value: unknown): ZoneData | undefined {
  try {
    return readZoneData(value);
  } catch {
    return undefined; // of another version: perchd tells the zone again
  }
}

/** Whether this process was started by the one before; told by `handOver`'s channel. */
export const isSuccessor = (): boolean => process.send !== undefined;

/** From now on the one before may go. */
export const takenOver = (): void => void process.send?.({ ready: true });
