import assert from "node:assert/strict";
import { join } from "node:path";
import { zoneData } from "../../dns/zone-fixture.ts";
import { choicesOf } from "../choices.ts";
import { converse, cut, scratch } from "../sockets.ts";
import { built, texts, type Target } from "../target.ts";

export const control: Target = {
  name: "control",
  claim:
    "a control socket says one line to every line of any bytes, an answer or an error, goes on answering others, and takes no zone that is none",
  covers: ["host/sockets/control-server", "host/sockets/lines", "dns/zone-data", "dns/check"],
  seeds: texts(
    `\0${JSON.stringify({ set: zoneData })}\n`,
    `\x02\x05\x09${JSON.stringify({ ping: true })}\n{"set":{"prefix":"fdaa:1:2","apps":[],"peers":[],"defaultRegion":"ams"}}\n`,
    '\0{"set":{"prefix":"fdaa:1:2","apps":[{"name":"x","machines":[{"id":"1","region":"ams","address":"fdaa::1","metadata":{"a":"b"}}]}],"peers":[{"name":1}]}}\n',
    "\0null\n[]\n\n1\n",
  ),
  tokens: [
    '"machines":[',
    '"__proto__":',
    "{",
    "}",
    "[",
    "]",
    "null",
    "\n",
    "\n\n",
    '"address":"::1"',
    '"metadata":{',
    "[".repeat(3_000),
    '"constructor"',
  ],
  longest: 60_000,
  runs: 3_000,
  async open() {
    const [{ serveControl }, { readZoneData }, { makeAnswerer }] = await Promise.all([
      built<typeof import("../../../src/host/sockets/control-server.ts")>("host/sockets/control-server"),
      built<typeof import("../../../src/dns/zone-data.ts")>("dns/zone-data"),
      built<typeof import("../../../src/dns/answerer.ts")>("dns/answerer"),
    ]);
    const place = scratch();
    const path = join(place.path, "control.sock");
    const answerer = makeAnswerer(zoneData);
    const server = await serveControl(path, (request) => {
      if ("set" in request) return { serial: answerer.set(readZoneData(request["set"])).serial };
      return "ping" in request ? { pong: true } : { error: "there is set and ping" };
    });
    const says = async (pieces: readonly Uint8Array[]): Promise<unknown[]> =>
      (await converse({ path }, pieces))
        .toString("utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown);
    return {
      async run(input) {
        const choices = choicesOf(input);
        const lengths = Array.from({ length: choices.below(6) }, () => choices.below(300));
        const stream = input.subarray(input.length - choices.left);
        const [answers, others] = await Promise.all([says(cut(stream, lengths)), says([Buffer.from('{"ping":1}\n')])]);
        assert.deepEqual(others, [{ pong: true }]);
        assert.equal(answers.length, stream.filter((byte) => byte === 10).length);
        for (const answer of answers)
          assert.ok(typeof answer === "object" && answer !== null && Object.keys(answer).length === 1);
      },
      async close() {
        await new Promise((resolve) => server.close(resolve));
        place.remove();
        return {};
      },
    };
  },
};
