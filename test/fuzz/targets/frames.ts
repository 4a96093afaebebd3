import assert from "node:assert/strict";
import { choicesOf } from "../choices.ts";
import { built, texts, type Target } from "../target.ts";

export const frames: Target = {
  name: "frames",
  claim:
    "what the client reads from a daemon is the same however it is cut, and is a frame, an error of the register or no JSON, never another failure",
  covers: ["client/frames"],
  seeds: texts(
    '\x01\x05{"progress":"x"}\n{"result":{}}\n',
    '\x02\x09\x30{"error":{"code":"app_not_found","message":"é\u{1f600}","next":"y"}}\n',
    '\x00{"error":{"code":"of_tomorrow","message":{"toString":1},"next":null}}\n[1,{"error":null}]\n',
  ),
  tokens: [
    '{"error":',
    '"code":',
    '"message":',
    '"next":',
    '{"toString":1}',
    '{"__proto__":null}',
    "null",
    "[",
    "\n",
    "\r",
    "é",
    "\u{1f600}",
    '"constructor"',
    '"__proto__"',
  ],
  longest: 4_096,
  runs: 10_000,
  async open() {
    const [{ jsonLines, errorIn }, { register }] = await Promise.all([
      built<typeof import("../../../src/client/frames.ts")>("client/frames"),
      built<typeof import("../../../src/errors/register.ts")>("errors/register"),
    ]);
    async function read(chunks: readonly Buffer[]): Promise<unknown[]> {
      const found: unknown[] = [];
      try {
        for await (const frame of jsonLines(
          (async function* () {
            yield* chunks;
          })(),
        ))
          found.push(frame);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        found.push("no JSON");
      }
      return found;
    }
    return {
      async run(input) {
        const choices = choicesOf(input);
        const cuts = Array.from({ length: choices.below(6) }, () => choices.below(64));
        const stream = input.subarray(input.length - choices.left);
        let at = 0;
        const pieces = [...cuts, stream.length].map((cut) => stream.subarray(at, (at += cut)));
        const whole = await read([stream]);
        assert.deepEqual(await read(pieces), whole);
        for (const frame of whole) {
          const error = errorIn(frame);
          if (error !== undefined)
            assert.ok(
              Object.hasOwn(register, error.code) &&
                typeof error.message === "string" &&
                typeof error.next === "string",
            );
        }
      },
    };
  },
};
