import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { progressOn, secondsText } from "../../../src/cli/output/progress.ts";
import { styleOf } from "../../../src/cli/output/style.ts";

function onStream(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 30 });
  const said = () => (stream.read() as Buffer | null)?.toString() ?? "";
  return { progress: progressOn(stream as unknown as NodeJS.WriteStream, styleOf(false, {})), said };
}

describe("progress", () => {
  it("is one plain line a sentence where there is no terminal", () => {
    const { progress, said } = onStream(false);
    progress.say("one");
    progress.say("two");
    progress.done();
    expect(said()).toBe("one\ntwo\n");
  });

  it("turns on a terminal, cut to its width, and leaves each sentence with its end", () => {
    const { progress, said } = onStream(true);
    progress.say(`begin ${"x".repeat(60)}`);
    const drawn = said();
    expect([...drawn.replace("\r\u001b[K", "")].length).toBeLessThanOrEqual(30);
    progress.say("two");
    expect(said()).toMatch(/✓ begin x{60} 0\.\d\d s\n/);
    progress.stop();
    expect(said()).toMatch(/✗ two 0\.\d\d s\n$/);
    progress.done();
    expect(said()).toBe("");
  });

  it("says times in seconds", () => {
    expect([0, 1234, 12_345].map(secondsText)).toEqual(["0.00 s", "1.23 s", "12.3 s"]);
  });
});
