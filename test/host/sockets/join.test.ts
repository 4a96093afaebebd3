import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { join } from "../../../src/host/sockets/join.ts";

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Both ends of a connection over the loopback. */
async function connection(): Promise<{ far: Socket; near: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const far = connect({ port: (server.address() as { port: number }).port, host: "127.0.0.1", allowHalfOpen: true });
  const [near] = (await once(server, "connection")) as [Socket];
  sockets.push(far, near);
  for (const socket of [far, near]) socket.on("error", () => undefined);
  return { far, near };
}

async function joined() {
  const client = await connection();
  const backend = await connection();
  join(client.near, backend.near);
  return { client: client.far, server: backend.far, ends: [client.near, backend.near] };
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

describe("two connections that are joined", () => {
  it("hear each other, and each other's end", async () => {
    const { client, server, ends } = await joined();
    client.write("ask");
    expect(String((await once(server, "data"))[0])).toBe("ask");
    server.end("answer");
    server.resume();
    expect(String((await once(client, "data"))[0])).toBe("answer");
    await once(client, "end");
    client.end();
    await Promise.all(ends.map(closed));
    expect(server.readableEnded).toBe(true);
  });

  it("are over as soon as the client ends, though the server has gone long before", async () => {
    const { client, server, ends } = await joined();
    server.end();
    client.resume();
    await once(client, "end");
    await closed(ends[1] as Socket);
    const since = performance.now();
    client.end("a last word that nobody reads");
    await closed(ends[0] as Socket);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it("are over after a moment when the client says nothing more, or does not stop talking", async () => {
    for (const talks of [false, true]) {
      const { client, server, ends } = await joined();
      const talk = talks ? setInterval(() => client.write("."), 50) : undefined;
      server.end();
      client.resume();
      await closed(ends[0] as Socket);
      clearInterval(talk);
      expect(ends.map((end) => end.destroyed)).toEqual([true, true]);
    }
  });

  it("are over when one breaks off", async () => {
    const { client, server, ends } = await joined();
    server.resume();
    client.resetAndDestroy();
    await Promise.all(ends.map(closed));
    expect(server.readableEnded).toBe(true);
  });
});
