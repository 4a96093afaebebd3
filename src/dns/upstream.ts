import { createSocket } from "node:dgram";
import { createConnection, isIPv6 } from "node:net";
import { takeFrames, toFrame } from "./frame.ts";

/** One question to one other name server and its answer, as bytes. */
export interface Server {
  address: string;
  port: number;
}

/** Gives the answer, or undefined when none came in time or the server could not be reached. */
export type Exchange = (message: Buffer, server: Server, timeoutMs: number) => Promise<Buffer | undefined>;

/**
 * A socket of its own, and so a random port of its own, for every question; connected, so that only that server is
 * heard and a refusal is noticed.
 */
export const exchangeUdp: Exchange = (message, server, timeoutMs) =>
  new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
    let open = true;
    const end = (answer: Buffer | undefined) => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.on("error", () => end(undefined));
    socket.on("message", (answer) => {
      if (answersTo(answer, message)) end(answer);
    });
    socket.connect(server.port, server.address, () => {
      if (open) socket.send(message);
    });
  });

export const exchangeTcp: Exchange = (message, server, timeoutMs) =>
  new Promise((resolve) => {
    const socket = createConnection({ host: server.address, port: server.port });
    const end = (answer: Buffer | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    let pending: Buffer = Buffer.alloc(0);
    socket.on("connect", () => socket.write(toFrame(message)));
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = takeFrames(Buffer.concat([pending, chunk]));
      pending = rest;
      const answer = frames.find((frame) => answersTo(frame, message));
      if (answer !== undefined) end(answer);
    });
    socket.on("error", () => end(undefined));
    socket.on("close", () => end(undefined));
  });

/**
 * A response with our id and our question: anything else is a stray or a forgery. A server that could not read the
 * question may leave it out.
 */
export function answersTo(answer: Buffer, message: Buffer): boolean {
  if (answer.length < 12 || (answer[2] ?? 0) < 0x80 || answer.readUInt16BE(0) !== message.readUInt16BE(0)) return false;
  if (answer.readUInt16BE(4) === 0) return ((answer[3] ?? 0) & 15) !== 0;
  const end = questionEnd(message);
  return answer.toString("latin1", 12, end).toLowerCase() === message.toString("latin1", 12, end).toLowerCase();
}

/** Where the (well-formed) question of a message ends. */
export function questionEnd(message: Buffer): number {
  let at = 12;
  while ((message[at] ?? 0) !== 0) at += 1 + (message[at] ?? 0);
  return at + 5;
}
