import { decode, encode } from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import { makeForwarder } from "../../src/dns/forward.ts";
import { readQuery } from "../../src/dns/query.ts";
import { otherServer, ordinary, type OtherServer, type Speaks } from "./other-server.ts";

const servers: OtherServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const silent: Speaks = () => undefined;

async function serversAt(...speaking: [string, Speaks][]): Promise<OtherServer[]> {
  for (const [address, speaks] of speaking) servers.push(await otherServer(address, servers[0]?.port ?? 0, speaks));
  return servers;
}

function forwarder(addresses: readonly string[], more: { prefix?: string; port?: number; tryMs?: number } = {}) {
  const { forward } = makeForwarder({
    servers: async () => addresses,
    prefix: "fdaa:1:2",
    port: servers[0]?.port ?? 1,
    tryMs: 150,
    ...more,
  });
  return async (name: string, over: "udp" | "tcp" = "udp", edns?: number, source = "fdaa::1") => {
    const opt =
      edns === undefined
        ? []
        : [
            {
              type: "OPT" as const,
              name: ".",
              udpPayloadSize: edns,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ];
    const message = encode({ type: "query", id: 77, flags: 0x100, questions: [{ name, type: "A" }], additionals: opt });
    const reading = readQuery(message);
    if (reading.kind !== "query") throw new Error(reading.kind);
    const answer = await forward(message, reading.query, over, source);
    return answer === undefined ? undefined : decode(answer);
  };
}

describe("a name that is not ours", () => {
  it("is asked of the host's resolver, and its answer has the asker's id", async () => {
    const [server] = await serversAt(["127.0.0.1", ordinary]);
    expect(await forwarder(["127.0.0.1"])("Example.com")).toMatchObject({
      id: 77,
      answers: [{ name: "Example.com", data: "192.0.2.1" }],
    });
    expect(server?.asked).toEqual(["udp Example.com"]);
  });

  it("is asked over TCP when it was asked over TCP, or when the answer is cut short", async () => {
    const [server] = await serversAt(["127.0.0.1", ordinary]);
    expect((await forwarder(["127.0.0.1"])("a.example", "tcp"))?.answers).toHaveLength(1);
    expect((await forwarder(["127.0.0.1"])("long.example", "udp", 4096))?.answers).toHaveLength(60);
    expect(server?.asked).toEqual(["tcp a.example", "udp long.example", "tcp long.example"]);
  });

  it("is refused when its answer leads into this network or to this host", async () => {
    const inward: Speaks = ({ questions }) => ({
      answers: [{ type: "A", name: questions?.[0]?.name ?? "", ttl: 1, data: "127.0.0.1" }],
    });
    await serversAt(["127.0.0.1", inward]);
    for (const over of ["udp", "tcp"] as const)
      expect(await forwarder(["127.0.0.1"])("Evil.example", over, 1232)).toMatchObject({
        id: 77,
        rcode: "REFUSED",
        answers: [],
        questions: [{ name: "Evil.example" }],
      });
  });

  it("comes back as a stump with TC when its answer is longer than the asker takes", async () => {
    await serversAt(["127.0.0.1", ordinary]);
    expect(await forwarder(["127.0.0.1"])("long.example")).toMatchObject({
      flag_tc: true,
      answers: [],
      questions: [{ name: "long.example" }],
    });
  });

  it("is the head alone when it has no question and goes on for longer than the asker takes", async () => {
    const unread = ({ id = 0 }: { id?: number | undefined }) =>
      Buffer.concat([Buffer.of(id >> 8, id & 255, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0), Buffer.alloc(2_000, "x")]);
    await serversAt(["127.0.0.1", unread]);
    expect(await forwarder(["127.0.0.1"])("a.example")).toMatchObject({
      rcode: "FORMERR",
      flag_tc: true,
      questions: [],
    });
  });

  it("is asked of the next server when one is silent or fails, and of the good one first from then on", async () => {
    const [first, second] = await serversAt(["127.0.0.1", silent], ["127.0.0.2", ordinary]);
    const ask = forwarder(["127.0.0.1", "127.0.0.2"]);
    expect((await ask("a.example"))?.answers).toHaveLength(1);
    expect((await ask("b.example"))?.answers).toHaveLength(1);
    expect(first?.asked).toEqual(["udp a.example"]);
    expect(second?.asked).toEqual(["udp a.example", "udp b.example"]);
  });

  it("has no answer when nobody gives one: after two rounds, or at once where the port is closed", async () => {
    const [first] = await serversAt(["127.0.0.1", silent]);
    expect(await forwarder(["127.0.0.1"])("a.example")).toBeUndefined();
    expect(first?.asked).toHaveLength(2);
    const began = performance.now();
    expect(await forwarder(["127.0.0.9"], { tryMs: 5_000 })("a.example")).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it("passes on that a server failed when all did", async () => {
    await serversAt(["127.0.0.1", () => ({ flags: 2 })]);
    expect(await forwarder(["127.0.0.1"])("a.example")).toMatchObject({ rcode: "SERVFAIL" });
  });

  it("is not answered by a message with another id or another question", async () => {
    await serversAt(
      ["127.0.0.1", (question) => ({ id: (question.id ?? 0) ^ 1 })],
      ["127.0.0.2", () => ({ questions: [{ name: "evil.example", type: "A" }] })],
    );
    expect(await forwarder(["127.0.0.1", "127.0.0.2"])("a.example")).toBeUndefined();
  });

  it("is never asked of an address in our own network", async () => {
    const [server] = await serversAt(["::1", ordinary]);
    expect(await forwarder(["::1"], { prefix: "0:0:0" })("a.example")).toBeUndefined();
    expect(server?.asked).toEqual([]);
  });

  it("is refused when too many are under way", async () => {
    await serversAt(["127.0.0.1", silent]);
    const ask = forwarder(["127.0.0.1"]);
    let ended = 0;
    const waiting = Array.from({ length: 256 }, (_, i) =>
      ask(`n${i}.example`, "udp", undefined, `fdaa::${i % 2}`).finally(() => ended++),
    );
    expect(await ask("one.too.many.example")).toBeUndefined();
    expect(ended, "it is refused before any of them has ended").toBe(0);
    await Promise.all(waiting);
  });

  it("is asked for one source while another asks for more than half of what is borne at once", async () => {
    await serversAt([
      "127.0.0.1",
      (question, over) => (question.questions?.[0]?.name === "a.example" ? ordinary(question, over) : undefined),
    ]);
    const ask = forwarder(["127.0.0.1"], { tryMs: 1_000 });
    let ended = 0;
    const crowd = Array.from({ length: 300 }, (_, i) =>
      ask(`n${i}.example`, "udp", undefined, "fdaa::2").finally(() => ended++),
    );
    await Promise.all(crowd.slice(128));
    expect(ended, "those above its share are refused before any other has ended").toBe(300 - 128);
    expect((await ask("a.example", "udp", undefined, "fdaa::1"))?.answers).toHaveLength(1);
    await Promise.all(crowd);
    expect((await ask("a.example", "udp", undefined, "fdaa::2"))?.answers, "its share is free again").toHaveLength(1);
  });
});
