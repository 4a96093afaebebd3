import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../../src/base/deadline.ts";

/** Real sockets, for what can only be asked over them. */

/** An empty directory; `npm test` has all of them in one. */
export function scratch(): { path: string; remove(): void } {
  const path = mkdtempSync(join(process.env["PERCH_TEST_DIR"] ?? tmpdir(), "perch-fuzz-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Says the pieces one after the other, ends, and gives all that was said back until the other side has ended, too.
 * `hurry` breaks off instead of ending.
 */
export function converse(to: NetConnectOpts, pieces: readonly Uint8Array[], hurry = false): Promise<Buffer> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = connect({ ...to, allowHalfOpen: true });
    socket.on("connect", () => {
      for (const piece of pieces) socket.write(piece);
      if (hurry) socket.destroy();
      else socket.end();
    });
    socket.on("data", (chunk: Buffer) => heard.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(heard)));
  });
}

export async function listening(
  serve: (socket: Socket) => void,
  at: string | number = 0,
): Promise<{ server: Server; port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on("error", () => undefined).on("close", () => open.delete(socket)));
    serve(socket);
  });
  if (typeof at === "string") server.listen(at);
  else server.listen(at, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
  return { server, port: typeof address === "object" && address !== null ? address.port : 0, close };
}

/** Cuts bytes at random places. */
export function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0;
  return [...lengths, bytes.length]
    .map((length) => bytes.subarray(at, (at += length)))
    .filter((piece) => piece.length > 0);
}

/** Asks until it is true; rejects with the question's name when that takes too long. */
export async function eventually(
  what: string,
  question: () => Promise<boolean> | boolean,
  withinMs = 15_000,
): Promise<void> {
  if ((await ask(async () => (await question()) || undefined, { everyMs: 5, withinMs })) === undefined)
    throw new Error(`not within ${withinMs} ms: ${what}`);
}
