import { afterAll, describe, expect, it } from "vitest";
import { watchLoopDelay } from "../../src/base/loop-delay.ts";
import { ask } from "../../src/base/deadline.ts";

describe("the delay of the loop", () => {
  const watched = watchLoopDelay(200);
  afterAll(() => watched.stop());

  const busyFor = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };

  it("tells how late a process that was busy was, and forgets it after a while", async () => {
    const busyAndLate = () => {
      busyFor(150); // it counts from its first look on
      return watched.read().max >= 100 ? true : undefined;
    };
    expect(await ask(busyAndLate, { everyMs: 30, withinMs: 5_000 })).toBe(true);
    expect(await ask(() => (watched.read().max < 100 ? true : undefined), { everyMs: 5, withinMs: 5_000 })).toBe(true);
  });
});
