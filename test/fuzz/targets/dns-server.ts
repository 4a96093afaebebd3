import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decode } from "dns-packet";
import { takeFrames, toFrame } from "../../../src/dns/frame.ts";
import { ask } from "../../../src/base/deadline.ts";
import { leader, zoneData } from "../../dns/zone-fixture.ts";
import { type Choices, choicesOf } from "../choices.ts";
import { openNameServer } from "../name-server.ts";
import { memoryOf } from "../network.ts";
import { converse, cut, eventually } from "../sockets.ts";
import { built, type Target } from "../target.ts";
import { openUpstream } from "../upstream.ts";
import { labels, question, questions } from "./dns-answer.ts";

/** Bytes after what says how they are sent: 0 and 0 by UDP, 1 and a few by TCP in pieces. */
const sent = (...before: number[]) => questions.map((message) => Buffer.concat([Buffer.from(before), message]));

export const dnsServer: Target = {
  name: "dns-server",
  claim:
    "the name server's process answers others rightly while anybody sends it any bytes, and what it passes on from another server is an answer to that question that fits",
  covers: [
    ...["main", "server", "tcp", "frame", "forward", "upstream", "query", "wire", "sockets"].map(
      (part) => `dns/${part}`,
    ),
    "host/sockets/control-server",
  ],
  seeds: [...sent(0, 0, 0), ...sent(1, 0, 2, 0, 7), ...sent(2, 1, 3, 120, 0, 0, 1), ...sent(3, 2, 0, 9)],
  tokens: [
    ...labels,
    "\x07example\x03com\0\0\x01\0\x01",
    "\0\0\x29\xff\xff\0\0\0\0\0\0",
    "\xc0\x0c",
    "\0\0",
    "\xff\xff",
  ],
  longest: 1_300,
  runs: 2_000,
  async open(coverage) {
    const [{ makeAnswerer }, { udpLimit }] = await Promise.all([
      built<typeof import("../../../src/dns/answerer.ts")>("dns/answerer"),
      built<typeof import("../../../src/dns/query.ts")>("dns/query"),
    ]);
    const answerer = makeAnswerer(zoneData);
    const upstream = await openUpstream();
    const server = await openNameServer(upstream.port, coverage);
    const { port, pid } = server;

    /** Whatever comes to our sockets answers something that was asked there and not yet answered. */
    const asked = new Map<number, Buffer>();
    const faults: Error[] = [];
    const udp = createSocket("udp6").bind(0, "::1");
    await once(udp, "listening");
    udp.connect(port, "::1");
    await once(udp, "connect");
    udp.on("error", () => undefined);
    udp.on("message", (reply) => {
      try {
        heard(reply, "udp", asked);
      } catch (error) {
        faults.push(error as Error);
      }
    });

    let last = 0;
    /** With an id of its own, as far as it has room for one. */
    function numbered(message: Buffer): Buffer {
      last = (last + 1) % 65_536;
      const copy = Buffer.from(message);
      if (copy.length >= 2) copy.writeUInt16BE(last, 0);
      return copy;
    }

    function heard(reply: Buffer, over: "udp" | "tcp", among: Map<number, Buffer>): void {
      const id = reply.readUInt16BE(0);
      const message = among.get(id);
      assert.ok(message !== undefined, `an answer to nothing: ${reply.toString("hex", 0, 40)}`);
      among.delete(id);
      const expected = answerer.say(message, { region: "ams", over });
      assert.ok(expected !== undefined, "an answer where silence is right");
      if (Buffer.isBuffer(expected)) return assert.deepEqual(reply, expected);
      // What another server said behind the question is his, and passed on as it is.
      const { questionBytes, edns } = expected.forward;
      const most = over === "tcp" ? 65_535 : udpLimit(edns);
      assert.ok(reply.length <= most, `${reply.length} bytes from another server, where ${most} are allowed`);
      assert.ok((reply.readUInt16BE(2) & 0x8000) !== 0, "what came from another server is no response");
      const same =
        reply.toString("latin1", 12, 12 + questionBytes.length).toLowerCase() ===
        questionBytes.toString("latin1").toLowerCase();
      assert.ok(reply.readUInt16BE(4) === 0 || same, "another question");
    }

    async function sentinel(): Promise<void> {
      const message = numbered(question("pg.internal"));
      const answer = await ask(
        async () => {
          const socket = createSocket("udp6");
          const said = once(socket, "message", { signal: AbortSignal.timeout(1_000) }) as Promise<[Buffer]>;
          socket.send(message, port, "::1");
          return said
            .then(([reply]) => reply)
            .catch(() => undefined)
            .finally(() => socket.close());
        },
        { everyMs: 1, withinMs: 10_000 },
      );
      assert.ok(answer !== undefined, "others are not answered");
      assert.equal((decode(answer).answers?.[0] as { data?: unknown } | undefined)?.data, leader);
    }

    async function overTcp(choices: Choices): Promise<void> {
      const frames = Array.from({ length: 1 + choices.below(4) }, () =>
        numbered(choices.once(2) ? choices.take(choices.below(200)) : choices.pick(questions)),
      );
      const among = new Map(frames.map((frame) => [frame.length >= 2 ? frame.readUInt16BE(0) : -1, frame]));
      const lengths = Array.from({ length: choices.below(5) }, () => choices.below(40));
      const rest = choices.take(choices.left);
      const said = await converse(
        { host: "::1", port },
        cut(Buffer.concat([...frames.map(toFrame), rest]), lengths),
        choices.once(9),
      );
      const { frames: replies } = takeFrames(said);
      // The rest was a question, perhaps; it has the id that it has.
      for (const reply of replies) if (among.has(reply.readUInt16BE(0))) heard(reply, "tcp", among);
    }

    /** A name of others, asked in a way that may be answered; where it must be, the answer is waited for. */
    async function overUpstream(choices: Choices): Promise<void> {
      const answered = upstream.become(choices);
      const message = numbered(question("www.example.com", "A"));
      asked.set(message.readUInt16BE(0), message);
      udp.send(message);
      if (answered)
        await eventually(
          "another server's answer is passed on",
          async () => Promise.resolve(!asked.has(message.readUInt16BE(0)) || faults.length > 0),
          12_000,
        );
    }

    let executions = 0;
    let before = 0;
    return {
      elsewhere: true,
      async run(input) {
        const choices = choicesOf(input);
        const how = choices.below(4);
        if (how === 1) await overTcp(choices);
        else if (how === 2) await overUpstream(choices);
        else {
          const message = numbered(choices.take(choices.left));
          if (message.length >= 2) asked.set(message.readUInt16BE(0), message);
          udp.send(message);
        }
        await sentinel();
        const [fault] = faults.splice(0);
        if (fault !== undefined) throw fault;
        if (++executions === 500) before = memoryOf(pid);
      },
      async close() {
        const after = memoryOf(pid);
        const { queries, said } = await server.stop();
        udp.close();
        await upstream.close();
        assert.doesNotMatch(said, /"level":"error"/);
        assert.ok(after < 150, `the name server has ${after} MB in memory`);
        return { questions: queries, "its MB": `${before} → ${after}` };
      },
    };
  },
};
