import { decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type Answerer, type Asker, makeAnswerer } from "../../src/dns/answerer.ts";
import { leader, london, machine, zoneData } from "./zone-fixture.ts";

const many = Array.from({ length: 40 }, (_, i) => machine(`m${i}`, "ams", `1::${(256 + i).toString(16)}`));
const data = { ...zoneData, apps: [...zoneData.apps, { name: "many", machines: many }] };
const udp: Asker = { region: "lhr", over: "udp" };
const tcp: Asker = { region: "lhr", over: "tcp" };

const opt = (size: number, more: object = {}) => ({
  type: "OPT" as const,
  name: ".",
  udpPayloadSize: size,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
  ...more,
});
const query = (name: string, type: string, more: Packet = {}) =>
  encode({ type: "query", id: 4711, flags: 0x0100, questions: [{ name, type: type as "AAAA" }], ...more });

describe("the answer to a message", () => {
  let answerer: Answerer;
  beforeEach(() => void (answerer = makeAnswerer(data)));
  const bytes = (message: Buffer, asker: Asker = udp): Buffer => {
    const said = answerer.say(message, asker);
    if (!Buffer.isBuffer(said)) throw new Error(`no answer but ${JSON.stringify(said)}`);
    return said;
  };
  const answer = (message: Buffer, asker?: Asker) =>
    decode(bytes(message, asker)) as ReturnType<typeof decode> & { rcode: string };

  it("of another zone is nowhere for servers, and passed on for others; one of ours is the same for both", () => {
    const server: Asker = { region: undefined, over: "udp", inside: true };
    for (const name of ["secret-words.example.com", "example.com.", "1.0.0.127.in-addr.arpa", "internal.example"]) {
      expect(answer(query(name, "A"), server)).toMatchObject({ rcode: "NXDOMAIN", answers: [] });
      expect(answerer.say(query(name, "A"), udp)).toMatchObject({ forward: { id: 4711 } });
    }
    expect(answer(query("pg.internal", "AAAA"), server).answers?.length).toBeGreaterThan(0);
  });

  it("carries id, flags and the question as it was written", () => {
    const got = answer(query("LHR.pG.internal", "AAAA"));
    expect(got).toMatchObject({
      id: 4711,
      type: "response",
      rcode: "NOERROR",
      flag_aa: true,
      flag_rd: true,
      flag_ra: true,
      flag_tc: false,
    });
    expect(got.questions).toMatchObject([{ name: "LHR.pG.internal", type: "AAAA", class: "IN" }]);
    expect(got.answers).toMatchObject([{ name: "LHR.pG.internal", type: "AAAA", ttl: 5, data: london }]);
    expect(answer(query("pg.internal", "AAAA", { flags: 0 })).flag_rd).toBe(false);
  });

  it("has the SOA as authority when there is nothing, whether the name is there or not", () => {
    for (const [name, rcode] of [
      ["nope.internal", "NXDOMAIN"],
      ["pg.internal", "NOERROR"],
    ] as const) {
      const got = answer(query(name, "A"));
      expect(got.rcode).toBe(rcode);
      expect(got.answers).toEqual([]);
      expect(got.authorities).toMatchObject([
        {
          name: "internal",
          type: "SOA",
          ttl: 5,
          data: { mname: "_dns.internal", rname: "hostmaster.internal", serial: 1, minimum: 5 },
        },
      ]);
    }
  });

  it("has long texts in strings of at most 255 bytes", () => {
    const got = answer(query("vms.many.internal", "TXT"));
    const record = got.answers?.[0];
    const strings = record?.type === "TXT" ? (record.data as Buffer[]) : [];
    expect(strings.map((string) => string.length)).toEqual([255, strings[1]?.length]);
    expect(Buffer.concat(strings).toString()).toBe(many.map(({ id }) => `${id} ams`).join(","));
  });

  it("is cut to whole records with TC over UDP, and never over TCP", () => {
    const plain = bytes(query("many.internal", "AAAA"));
    expect(plain.length).toBeLessThanOrEqual(512);
    expect(decode(plain)).toMatchObject({ flag_tc: true });
    expect(decode(plain).answers).toHaveLength(17);
    const wide = bytes(query("many.internal", "AAAA", { additionals: [opt(1000)] }));
    expect(wide.length).toBeLessThanOrEqual(1000);
    expect(decode(wide).answers).toHaveLength(34);
    expect(decode(bytes(query("many.internal", "AAAA", { additionals: [opt(65_535)] })))).toMatchObject({
      flag_tc: false,
    });
    expect(answer(query("many.internal", "AAAA"), tcp)).toMatchObject({ flag_tc: false });
    expect(answer(query("many.internal", "AAAA"), tcp).answers).toHaveLength(40);
  });

  it("echoes EDNS where it was asked for, and only there", () => {
    expect(answer(query("pg.internal", "AAAA")).additionals).toEqual([]);
    expect(
      answer(query("pg.internal", "AAAA", { additionals: [opt(4096, { flags: 0x8000 })] })).additionals,
    ).toMatchObject([{ type: "OPT", udpPayloadSize: 1232, ednsVersion: 0, flag_do: true }]);
    const bad = answer(query("pg.internal", "AAAA", { additionals: [opt(4096, { ednsVersion: 1 })] }));
    expect(bad).toMatchObject({ answers: [], additionals: [{ extendedRcode: 1, ednsVersion: 0 }] });
    expect(answer(query("pg.internal", "AAAA", { additionals: [opt(512), opt(512)] })).rcode).toBe("FORMERR");
  });

  it("is a code for what is no ordinary question", () => {
    expect(answer(query("pg.internal", "AAAA", { flags: 2 << 11 })).rcode).toBe("NOTIMP");
    expect(answer(encode({ type: "query", id: 1, questions: [] })).rcode).toBe("FORMERR");
    expect(
      answer(
        query("pg.internal", "AAAA", {
          questions: [
            { name: "a.internal", type: "A" },
            { name: "b.internal", type: "A" },
          ],
        }),
      ).rcode,
    ).toBe("FORMERR");
    expect(
      answer(query("pg.internal", "AAAA", { questions: [{ name: "pg.internal", type: "TXT", class: "CH" }] })).rcode,
    ).toBe("REFUSED");
    expect(answer(query("pg.internal", "AAAA").subarray(0, 20))).toMatchObject({ id: 4711, rcode: "FORMERR" });
    const pointer = Buffer.concat([query("x", "A").subarray(0, 12), Buffer.of(0xc0, 12, 0, 28, 0, 1)]);
    expect(answer(pointer).rcode).toBe("FORMERR");
  });

  it("is silence for a response and for what is too short to be answered", () => {
    expect(
      answerer.say(encode({ type: "response", id: 1, questions: [{ name: "pg.internal", type: "AAAA" }] }), udp),
    ).toBeUndefined();
    expect(answerer.say(Buffer.alloc(0), udp)).toBeUndefined();
    expect(answerer.say(Buffer.alloc(11), udp)).toBeUndefined();
  });

  it("is left to others for other names, and never for ours", () => {
    expect(answerer.say(query("example.com", "A"), udp)).toMatchObject({
      forward: { id: 4711, question: { name: "example.com", type: "A" } },
    });
    expect(Buffer.isBuffer(answerer.say(query("x.nope.INTERNAL", "MX"), udp))).toBe(true);
  });

  it("takes a label with a dot in it for what it is", () => {
    const tricky = Buffer.concat([
      query("x", "A").subarray(0, 12),
      Buffer.of(11),
      Buffer.from("pg.internal"),
      Buffer.of(0, 0, 28, 0, 1),
    ]);
    expect(answerer.say(tricky, udp)).toMatchObject({ forward: { question: { name: "pg\\046internal" } } });
  });

  it("is the same the second time but for the id, differs by region, and changes with the zone", () => {
    const first = bytes(query("pg.internal", "AAAA"));
    const again = bytes(query("pg.internal", "AAAA", { id: 99 }));
    expect(again.readUInt16BE(0)).toBe(99);
    expect(again.subarray(2)).toEqual(first.subarray(2));
    expect(first.readUInt16BE(0)).toBe(4711);
    expect(answer(query("pg.internal", "AAAA"), { region: "ams", over: "udp" }).answers?.[0]).toMatchObject({
      data: leader,
    });
    expect(answer(query("pg.internal", "AAAA")).answers?.[0]).toMatchObject({ data: london });
    expect(answerer.set({ ...data, apps: [] }).serial).toBe(2);
    expect(answer(query("pg.internal", "AAAA")).rcode).toBe("NXDOMAIN");
  });

  it("is not kept for every way to write a name where it is long: some megabytes are kept, and no more", () => {
    const crowd = Array.from({ length: 900 }, (_, i) => machine(`m${i}`, "ams", `1::${(256 + i).toString(16)}`));
    answerer.set({ ...data, apps: [{ name: "crowd", machines: crowd }] });
    const before = process.memoryUsage().arrayBuffers;
    let longest = 0;
    for (let way = 0; way < 3_000; way++) {
      let at = 0;
      const name = "_instances.internal".replace(/[a-z]/g, (letter) =>
        (way >> at++) & 1 ? letter.toUpperCase() : letter,
      );
      longest = Math.max(longest, bytes(query(name, "TXT"), tcp).length);
    }
    expect(longest).toBeGreaterThan(50_000);
    // All of them together are above 150 MB.
    expect((process.memoryUsage().arrayBuffers - before) / 2 ** 20).toBeLessThan(64);
  });
});

describe("whatever the bytes", () => {
  const answerer = makeAnswerer(data);
  const wellFormed = query("top1.nearest.of.pg.internal", "AAAA", { additionals: [opt(1232)] });
  const settings = { seed: 20_261_124, numRuns: 3_000 };

  it("nothing throws, and what is sent is a response with the asker's id", () => {
    const changed = fc.array(fc.tuple(fc.nat(wellFormed.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
      const message = Buffer.from(wellFormed);
      for (const [at, value] of changes) message[at] = value;
      return message;
    });
    const cut = fc.nat(wellFormed.length).map((length) => wellFormed.subarray(0, length));
    const noise = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
    const asQuestion = noise.map((rest) => Buffer.concat([Buffer.from("1267010000010000000000", "hex"), rest]));
    fc.assert(
      fc.property(fc.oneof(changed, cut, noise, asQuestion), fc.constantFrom(udp, tcp), (message, asker) => {
        const said = answerer.say(message, asker);
        const reply = said === undefined || Buffer.isBuffer(said) ? said : answerer.refuse(said.forward, "SERVFAIL");
        if (reply === undefined) return;
        expect(reply.readUInt16BE(0)).toBe(message.readUInt16BE(0));
        expect(reply.readUInt8(2) & 0x80).toBe(0x80);
        expect(reply.length).toBeLessThanOrEqual(asker === udp ? 4096 : 65_535);
        decode(reply);
      }),
      settings,
    );
  });

  it("a name is answered by what dns-packet reads as that name", () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { maxLength: 6 }), (labels) => {
        const name = [...labels, "internal"].join(".");
        const said = answerer.say(query(name, "AAAA"), udp);
        if (!Buffer.isBuffer(said)) throw new Error("a name below .internal was not answered");
        expect(decode(said).questions).toMatchObject([{ name }]);
      }),
      { ...settings, numRuns: 500 },
    );
  });
});
