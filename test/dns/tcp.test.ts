import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { takeFrames, toFrame } from "../../src/dns/frame.ts";
import { makeTcpService, type TcpLimits } from "../../src/dns/tcp.ts";

const asker = { region: "lhr", over: "tcp" } as const;
const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const each of open.splice(0))
    if ("close" in each) each.close();
    else each.destroy();
});

/** A service that sends back what it gets, and a way to connect to it. */
async function echo(limits: Partial<TcpLimits> = {}): Promise<(from?: string) => Promise<Socket>> {
  const tcp = makeTcpService((message, _asker, _source, reply) => reply(message), {
    connections: 10,
    idleMs: 2_000,
    messageBytes: 100,
    unreadBytes: 100_000,
    ...limits,
  });
  const server = createServer((socket) => tcp.take(socket, asker)).listen(0, "127.0.0.1");
  open.push(server);
  await once(server, "listening");
  return async (from = "127.0.0.1") => {
    const socket = createConnection({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      localAddress: from,
    });
    open.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };
}

async function frames(socket: Socket, count: number): Promise<string[]> {
  let received: Buffer = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk as Buffer]);
    const found = takeFrames(received).frames;
    if (found.length >= count) return found.map(String);
  }
  return takeFrames(received).frames.map(String);
}

/** Errors are part of being cut, so it is the end alone that is waited for. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });

describe("a connection", () => {
  it("carries any number of questions, in pieces of any size", async () => {
    const socket = await (await echo())();
    const all = Buffer.concat(["one", "two", "three"].map((text) => toFrame(Buffer.from(text))));
    for (const byte of all.subarray(0, 9)) socket.write(Buffer.of(byte));
    socket.write(all.subarray(9));
    expect(await frames(socket, 3)).toEqual(["one", "two", "three"]);
  });

  it("is cut when no whole question comes in time, however busily the bytes drip", async () => {
    const socket = await (await echo({ idleMs: 300 }))();
    const drip = setInterval(() => socket.write(Buffer.of(0)), 40);
    socket.write(Buffer.of(0, 90));
    const began = performance.now();
    await closed(socket.resume());
    clearInterval(drip);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("is cut when a question is longer than questions are, whether it has come or not", async () => {
    const connect = await echo();
    const announced = await connect();
    announced.write(Buffer.of(0, 101));
    await closed(announced.resume());
    const sent = await connect();
    sent.write(toFrame(Buffer.alloc(101)));
    await closed(sent.resume());
    expect([announced.bytesRead, sent.bytesRead]).toEqual([0, 0]);
  });

  it("is cut when its answers are not read", async () => {
    const socket = await (await echo({ unreadBytes: 1_000 }))();
    socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => toFrame(Buffer.alloc(98)))));
    await closed(socket);
    expect(socket.bytesRead).toBeLessThan(1_000_000);
  });

  it("gives way, when there are too many, if it has been silent for longest", async () => {
    const connect = await echo({ connections: 2 });
    const [first, second] = [await connect(), await connect()];
    first.write(toFrame(Buffer.from("a")));
    expect(await frames(first, 1)).toEqual(["a"]);
    const third = await connect();
    await closed(second.resume());
    for (const socket of [first, third]) {
      socket.write(toFrame(Buffer.from("b")));
      expect(await frames(socket, 1)).toEqual(["b"]);
    }
  });

  it("does not give way to a crowd from elsewhere, however long it has been silent", async () => {
    const connect = await echo({ connections: 4 });
    const silent = await connect("127.0.0.2");
    const crowd = [];
    for (let count = 0; count < 20; count++) crowd.push(await connect("127.0.0.3"));
    await Promise.all(crowd.slice(0, 17).map((socket) => closed(socket.resume())));
    for (const socket of [silent, ...crowd.slice(17)]) {
      socket.write(toFrame(Buffer.from("a")));
      expect(await frames(socket, 1)).toEqual(["a"]);
    }
  });
});
