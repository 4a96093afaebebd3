import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Visitors, visitorsOf } from "../../../src/server/http/connection-limiter.ts";

const opened: (Server | Socket)[] = [];
afterEach(() => {
  for (const each of opened.splice(0))
    if (each instanceof Object && "listening" in each) each.close();
    else each.destroy();
});

interface Ground {
  visitors: Visitors;
  dial(from: string): Promise<Socket>;
  /** What the server's own listener was given, oldest first. */
  inside: Socket[];
}

async function ground(limits: Parameters<typeof visitorsOf>[1]): Promise<Ground> {
  const inside: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    inside.push(socket);
  });
  const visitors = visitorsOf(server, limits);
  server.listen(0, "127.0.0.1");
  opened.push(server);
  await once(server, "listening");
  const dial = async (from: string) => {
    const socket = connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, localAddress: from });
    opened.push(socket.resume().on("error", () => undefined));
    // Whoever is refused may hear of that before he knows that he is connected.
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()).once("close", () => resolve()));
    return socket;
  };
  return { visitors, dial, inside };
}

async function closed(socket: Socket): Promise<void> {
  await expect.poll(() => socket.destroyed).toBe(true);
}
const quick = { total: 100, perSource: 100, perSecond: 10_000 };

describe("the visitors of a server", () => {
  it("loses its source's oldest stranger where that has too many, and nobody of another source", async () => {
    const { dial, inside } = await ground({ ...quick, perSource: 3 });
    const other = await dial("127.0.0.9");
    const many = [];
    for (let count = 0; count < 10; count++) many.push(await dial("127.0.0.2"));
    await Promise.all(many.slice(0, 7).map(closed));
    expect([other, ...many.slice(7)].filter((socket) => socket.destroyed)).toEqual([]);
    expect(inside, "each was let in for a while").toHaveLength(11);
  });

  it("loses its oldest stranger, of whichever source, where there are too many in all", async () => {
    const { dial } = await ground({ ...quick, total: 3 });
    const many = [];
    for (let count = 2; count < 7; count++) many.push(await dial(`127.0.0.${count}`));
    await Promise.all(many.slice(0, 2).map(closed));
    expect(many.slice(2).filter((socket) => socket.destroyed)).toEqual([]);
  });

  it("keeps whom it recognised, and refuses others when it has none but those", async () => {
    const { visitors, dial, inside } = await ground({ ...quick, total: 2 });
    const known = [await dial("127.0.0.2"), await dial("127.0.0.3")];
    await expect.poll(() => inside.length).toBe(2);
    for (const socket of inside) visitors.recognise(socket);
    await closed(await dial("127.0.0.4"));
    expect(inside).toHaveLength(2);
    expect(known.filter((socket) => socket.destroyed)).toEqual([]);
    known[0]?.destroy();
    await closed(inside[0] as Socket);
    const next = await dial("127.0.0.4");
    await expect.poll(() => inside.length).toBe(3);
    expect(next.destroyed).toBe(false);
  });

  it("refuses those of a source that come too quickly, before anything is done for them", async () => {
    const { dial, inside } = await ground({ total: 1_000, perSource: 5, perSecond: 0.001 });
    const many = await Promise.all(Array.from({ length: 20 }, () => dial("127.0.0.2")));
    await expect.poll(() => many.filter((socket) => socket.destroyed).length).toBe(15);
    expect(inside).toHaveLength(5);
    await dial("127.0.0.3");
    await expect.poll(() => inside.length).toBe(6);
  });

  it("hangs up on strangers when it ends, and on nobody else", async () => {
    const { visitors, dial, inside } = await ground(quick);
    const [known, stranger] = [await dial("127.0.0.2"), await dial("127.0.0.2")];
    await expect.poll(() => inside.length).toBe(2);
    for (const socket of inside) if (socket.remotePort === known.localPort) visitors.recognise(socket);
    visitors.close();
    await closed(stranger);
    expect(known.destroyed).toBe(false);
  });
});
