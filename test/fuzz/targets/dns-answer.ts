import assert from "node:assert/strict";
import { decode, encode, type OptAnswer } from "dns-packet";
import { zoneData } from "../../dns/zone-fixture.ts";
import { built, type Target } from "../target.ts";

const opt: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0x8000,
  flag_do: true,
  options: [],
};
export const question = (name: string, type = "AAAA", additionals: OptAnswer[] = []): Buffer =>
  encode({ type: "query", id: 4711, flags: 0x0100, questions: [{ name, type: type as "AAAA" }], additionals });

const names = [
  "pg.internal",
  "lhr.pg.internal",
  "top2.nearest.of.pg.internal",
  "_apps.internal",
  "vms.pg.internal",
  "app.process.web.internal",
];
export const questions: Buffer[] = [
  ...names.map((name) => question(name)),
  question("regions.pg.internal", "TXT"),
  ...[
    "all.vms.pg.internal",
    "all._instances.internal",
    "_peer.internal",
    "_dns.internal",
    "primary.role.kv._metadata.pg.internal",
    "1.2.version.kv._metadata.pg.flycast",
  ].map((name) => question(name, "TXT")),
  ...[
    "laptop._peer.internal",
    "lhr._dns.internal",
    "global.pg.internal",
    "leader.pg.internal",
    "replica.pg.internal",
    "x.nope.internal",
  ].map((name) => question(name)),
  question("internal", "SOA"),
  question("1c.vm.pg.internal", "ANY", [opt]),
  question("0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.c.b.2.1.a.9.f.3.a.a.d.f.ip6.arpa", "PTR", [opt]),
  question("example.com", "A"),
];
export const labels = [...new Set(names.flatMap((name) => name.split(".")))].map(
  (label) => `${String.fromCharCode(label.length)}${label}`,
);

/** What an answer to a message must be, whatever the message. */
function checkReply(reply: Buffer, message: Buffer, most: number): void {
  assert.ok(message.length >= 12 && (message.readUInt16BE(2) & 0x8000) === 0, "an answer to what is no question");
  assert.equal(reply.readUInt16BE(0), message.readUInt16BE(0), "the id");
  assert.ok((reply.readUInt16BE(2) & 0x8000) !== 0, "the answer is no response");
  assert.ok(reply.length <= most, `${reply.length} bytes, where ${most} are allowed`);
  const { answers = [], questions: asked = [], authorities = [], additionals = [] } = decode(reply);
  assert.ok(
    asked.length <= 1 && additionals.length <= 1 && authorities.length <= 1 && answers.length < 4_096,
    "more sections than there can be",
  );
}

export const dnsAnswer: Target = {
  name: "dns-answer",
  claim:
    "what the name server says to any bytes parses, is a response with their id, is no longer than allowed, and is the same the second time",
  covers: [
    "dns/wire",
    "dns/query",
    "dns/answerer",
    "dns/zone",
    "dns/forms",
    "dns/nearest",
    "dns/reverse",
    "dns/records",
  ],
  seeds: questions,
  tokens: [...labels, "\0\0\x1c\0\x01", "\0\0\x29\x10\0\0\0\x80\0\0\0", "\0\0\x10\0\x01", "\0\0\x0c\0\x01", "\xc0\x0c"],
  longest: 1_200,
  runs: 15_000,
  async open() {
    const { makeAnswerer } = await built<typeof import("../../../src/dns/answerer.ts")>("dns/answerer");
    const askers = (["udp", "tcp"] as const).flatMap((over) => [undefined, "lhr"].map((region) => ({ region, over })));
    const answerer = makeAnswerer(zoneData);
    return {
      run(input) {
        for (const asker of askers) {
          const [said, again] = [answerer.say(input, asker), answerer.say(input, asker)];
          assert.deepEqual(again, said);
          if (said === undefined) continue;
          const reply = Buffer.isBuffer(said) ? said : answerer.refuse(said.forward, "SERVFAIL");
          checkReply(reply, input, asker.over === "tcp" ? 65_535 : 4_096);
          if (asker.over === "udp" && input.readUInt16BE(10) === 0)
            assert.ok(reply.length <= 512, "more than 512 bytes without EDNS");
        }
      },
    };
  },
};
