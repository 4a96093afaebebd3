import type { Socket } from "node:net";
import type { Asker } from "./answerer.ts";
import { takeFrames, toFrame } from "./frame.ts";

/**
 * DNS over TCP (RFC 7766): any number of questions on a connection, answered as they are ready. Bounded on every side: connections, time without a
 * whole question (so a slow sender is cut, too), length of a question, answers waiting for a slow reader.
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

const limitsOfUse: TcpLimits = { connections: 256, idleMs: 10_000, messageBytes: 4_096, unreadBytes: 262_144 };

export function makeTcpService(
  respond: (message: Buffer, asker: Asker, reply: (answer: Buffer) => void) => void,
  limits: TcpLimits = limitsOfUse,
): TcpService {
  // In order of their last whole question: when there are too many, the first is the one that has been silent for longest.
  const open = new Set<Socket>();

  function take(socket: Socket, asker: Asker): void {
    const [silent] = open;
    if (open.size >= limits.connections) silent?.destroy();
    open.add(socket);
    const timer = setTimeout(() => socket.destroy(), limits.idleMs);
    let pending: Buffer = Buffer.alloc(0);

    const reply = (answer: Buffer) => {
      if (socket.writable) socket.write(toFrame(answer));
      if (socket.writableLength > limits.unreadBytes) socket.destroy();
    };
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = takeFrames(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
      pending = rest;
      const tooLong = frames.some((frame) => frame.length > limits.messageBytes) || (rest.length >= 2 && rest.readUInt16BE(0) > limits.messageBytes);
      if (tooLong) return void socket.destroy();
      if (frames.length === 0) return;
      timer.refresh();
      open.delete(socket);
      open.add(socket);
      for (const frame of frames) respond(frame, asker, reply);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      open.delete(socket);
    });
  }

  return {
    take,
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}
