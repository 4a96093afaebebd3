import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join as pathOf } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { forward, type Forward } from "../../src/cli/proxy/forward.ts";
import { openTunnel } from "../../src/client/tunnel.ts";
import { openLog } from "../../src/base/log.ts";
import { openDialler } from "../../src/network/dialler.ts";
import type { Deps } from "../../src/server/deps.ts";
import { type Handlers, httpServer } from "../../src/server/http/http.ts";
import { proxyUpgrade } from "../../src/server/http/proxy.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/**
 * The whole way of a proxied connection, but for the namespace: perchd's socket, the program that dials, and the port
 * that leads there.
 */
describe("a connection through perchd's socket", () => {
  const home = { socket: pathOf(temporaryDirectory(), "perchd.sock"), root: "a home" };
  const dialler = openDialler(() => []);
  const log = openLog({ write: () => undefined });
  const deps = { dialler, log, prefix: "fdaa:1:2", place: { mode: "root" } } as unknown as Deps;
  const perchd = httpServer({} as Handlers, { log, version: "0", upgrade: proxyUpgrade(deps) });
  const opened: { close(): unknown }[] = [];
  const notes: string[] = [];

  beforeAll(() => perchd.listen({ path: home.socket }));
  afterEach(async () => {
    notes.length = 0;
    for (const each of opened.splice(0)) await each.close();
  });
  afterAll(async () => {
    await dialler.stop();
    await perchd.close();
  });

  async function serve(onConnection: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      onConnection(socket);
    });
    opened.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: portOf(server), server };
  }

  async function led(to: number): Promise<() => Socket> {
    const open: Forward = await forward(
      { address: "127.0.0.1", port: 0 },
      () => openTunnel(home, { host: "localhost", port: to }),
      (note) => notes.push(note),
    );
    opened.push(open);
    const port = Number(open.at.split(":").at(-1));
    return () => connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  }

  it("may end what it says and go on listening", async () => {
    const { port } = await serve((socket) => {
      const said: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => said.push(chunk));
      socket.on("end", () => socket.end(`heard ${Buffer.concat(said).toString()}`));
    });
    const client = (await led(port))();
    client.end("all of it");
    expect(await textOf(client)).toBe("heard all of it");
  });

  it("hears the other end say its last word, though it says nothing itself", async () => {
    const { port } = await serve((socket) => socket.end("goodbye"));
    expect(await textOf((await led(port))())).toBe("goodbye");
  });

  it("carries 32 MB either way, whole, to one who reads slowly", async () => {
    const bytes = Buffer.alloc(32 * 1024 * 1024, "perch");
    const { port } = await serve((socket) => void socket.pipe(socket));
    const client = (await led(port))();
    client.end(bytes);
    let read = 0;
    for await (const chunk of client as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (read % 64 === 0) await new Promise(setImmediate);
    }
    expect(read).toBe(bytes.length);
  });

  it("is one of two hundred at once, none of which is lost or mixed up", async () => {
    const { port } = await serve((socket) => void socket.pipe(socket));
    const open = await led(port);
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = open();
        client.end(`client ${index}`);
        return textOf(client);
      }),
    );
    expect(answers).toEqual(answers.map((_, index) => `client ${index}`));
  });

  it("ends when the other end breaks off", async () => {
    const { port } = await serve((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const client = (await led(port))();
    client.write("hello");
    expect(await textOf(client)).toBe("");
  });

  it("is refused with the reason where nobody listens, and the next one is tried anew", async () => {
    const { port, server } = await serve(() => undefined);
    server.close();
    const open = await led(port);
    const client = open();
    const [error] = (await once(client, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    expect(notes).toEqual([`localhost:${port} cannot be reached: the connection was refused: nothing listens there`]);
    server.listen(port, "127.0.0.1", () => undefined);
    await once(server, "listening");
    const again = open();
    server.on("connection", (socket: Socket) => socket.end("here"));
    expect(await textOf(again)).toBe("here");
  });

  it("is refused where it would leave the network", async () => {
    await expect(openTunnel(home, { host: "127.0.0.1", port: 1 })).rejects.toMatchObject({ code: "target_refused" });
    await expect(openTunnel(home, { host: "pg.internal", port: 70_000 })).rejects.toMatchObject({
      code: "request_invalid",
    });
  });
});

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
