import assert from "node:assert/strict";
import { choicesOf } from "../choices.ts";
import { built, type Target } from "../target.ts";

export const dnsFrame: Target = {
  name: "dns-frame",
  claim: "messages of DNS over TCP are the same however the bytes are cut, and none is lost or made up",
  covers: ["dns/frame"],
  seeds: [Buffer.from("0304000003414243000144", "hex"), Buffer.from("08000200ffff00010203040506070809", "hex")],
  tokens: ["\0\0", "\0\x01", "\xff\xff"],
  longest: 2_000,
  runs: 10_000,
  async open() {
    const { takeFrames, toFrame } = await built<typeof import("../../../src/dns/frame.ts")>("dns/frame");
    return {
      run(input) {
        const choices = choicesOf(input);
        const cuts = Array.from({ length: choices.below(8) }, () => choices.below(64));
        const stream = input.subarray(input.length - choices.left);
        const whole = takeFrames(stream);
        assert.deepEqual(Buffer.concat([...whole.frames.map(toFrame), whole.rest]), stream);
        let pending: Buffer = Buffer.alloc(0);
        let at = 0;
        const frames: Buffer[] = [];
        for (const cut of [...cuts, stream.length]) {
          const taken = takeFrames(Buffer.concat([pending, stream.subarray(at, at + cut)]));
          at += cut;
          frames.push(...taken.frames);
          pending = taken.rest;
        }
        assert.deepEqual([frames, pending], [whole.frames, whole.rest]);
      },
    };
  },
};
