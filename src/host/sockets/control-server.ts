import { rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { exists } from "../files/files.ts";
import { readLines } from "./lines.ts";

/**
 * The control socket (mode 0600): one JSON object a line, one answer a line, in order.
 *
 *     {"set": ZoneData} → {"serial": n}      {"ping": true} → {pid, version, serial, queries}      {"stop": true} → {"stopped": true}
 *     {"succeed": argv} → {"begun": true}
 *
 * Anything else is answered by {"error": "…"}. A line that is too long, and a client too many, are cut off.
 */

/** Bytes: a zone of some 20,000 machines. */
const longestLine = 8_388_608;
const clientsAtMost = 16;
/** Bytes of answers that a client may leave unread. */
const unreadAtMost = 1_048_576;

export type Handler = (request: Record<string, unknown>) => object;

/** Takes the path over from whoever left it. */
export async function serveControl(path: string, handle: Handler): Promise<Server> {
  await rm(path, { force: true });
  const server = await listen(path, handle);
  let last = server;
  const again = async () => {
    if (await exists(path)) return;
    // A socket that cannot be opened is tried at the next turn.
    const next = await listen(path, handle).catch(() => undefined);
    if (next === undefined) return; // there is no directory for it, or no right any more
    // Those who are connected stay so.
    last.unref();
    last = next;
  };
  setInterval(() => void again(), lookAgainMs).unref();
  return server;
}

/** How long one whose socket was taken away cannot be found. */
const lookAgainMs = 2_000;

async function listen(path: string, handle: Handler): Promise<Server> {
  const server = createServer((socket) => serveClient(socket, handle));
  server.maxConnections = clientsAtMost;
  const before = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, "listening");
  } finally {
    process.umask(before);
  }
  return server;
}

function serveClient(socket: Socket, handle: Handler): void {
  const write = (answer: object) => {
    if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
    if (socket.writableLength > unreadAtMost) socket.destroy();
  };
  const read = readLines(longestLine, (line) => {
    if (line === undefined) return socket.destroy();
    write(answerTo(line, handle));
  });
  socket.on("data", read);
  socket.on("error", () => undefined);
}

function answerTo(line: string, handle: Handler): object {
  try {
    const request: unknown = JSON.parse(line);
    if (typeof request !== "object" || request === null) return { error: "a request is a JSON object" };
    return handle(request as Record<string, unknown>);
  } catch (error) {
    return { error: (error as Error).message };
  }
}
