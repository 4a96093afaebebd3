import type { Socket } from "node:net";
import { withinDescriptors } from "../host/sockets/descriptors.ts";
import type { Asker } from "./answerer.ts";
import { takeFrames, toFrame } from "./frame.ts";

/**
 * DNS over TCP (RFC 7766): any number of questions on a connection, answered as they are ready. Bounded on every side:
 * connections, time without a whole question (so a slow sender is cut, too), length of a question, answers waiting for
 * a slow reader. Where there are too many connections, whoever has the most loses the one that has been silent for
 * longest.
 */

export interface TcpService {
  take(socket: Socket, asker: Asker): void;
  close(): void;
}

export interface TcpLimits {
  connections: number;
  /** Milliseconds from one whole question, or the beginning, to the next. */
  idleMs: number;
  messageBytes: number;
  unreadBytes: number;
}

const limitsOfUse: TcpLimits = {
  connections: withinDescriptors(512, 0.5),
  idleMs: 10_000,
  messageBytes: 4_096,
  unreadBytes: 131_072,
};

export function makeTcpService(
  respond: (message: Buffer, asker: Asker, source: string, reply: (answer: Buffer) => void) => void,
  limits: TcpLimits = limitsOfUse,
): TcpService {
  // By source, in order of their last whole question.
  const open = new Map<string, Set<Socket>>();
  let count = 0;

  function enter(socket: Socket, source: string): void {
    if (count >= limits.connections) makeRoom();
    open.set(source, (open.get(source) ?? new Set()).add(socket));
    count++;
  }

  function leave(socket: Socket, source: string): void {
    const others = open.get(source);
    if (others?.delete(socket) !== true) return;
    count--;
    if (others.size === 0) open.delete(source);
  }

  function makeRoom(): void {
    let crowd: [source: string, sockets: ReadonlySet<Socket>] | undefined;
    for (const each of open) if (crowd === undefined || each[1].size > crowd[1].size) crowd = each;
    const [silent] = crowd?.[1] ?? [];
    if (crowd === undefined || silent === undefined) return;
    leave(silent, crowd[0]);
    silent.destroy();
  }

  function take(socket: Socket, asker: Asker): void {
    const source = socket.remoteAddress ?? "";
    enter(socket, source);
    const timer = setTimeout(() => socket.destroy(), limits.idleMs);
    let pending: Buffer = Buffer.alloc(0);

    const reply = (answer: Buffer) => {
      if (socket.writable) socket.write(toFrame(answer));
      if (socket.writableLength > limits.unreadBytes) socket.destroy();
    };
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = takeFrames(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
      pending = rest;
      const tooLong =
        frames.some((frame) => frame.length > limits.messageBytes) ||
        (rest.length >= 2 && rest.readUInt16BE(0) > limits.messageBytes);
      if (tooLong) return void socket.destroy();
      if (frames.length === 0) return;
      timer.refresh();
      const others = open.get(source);
      if (others?.delete(socket) === true) others.add(socket);
      for (const frame of frames) respond(frame, asker, source, reply);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      leave(socket, source);
    });
  }

  return {
    take,
    close() {
      for (const sockets of open.values()) for (const socket of sockets) socket.destroy();
    },
  };
}
