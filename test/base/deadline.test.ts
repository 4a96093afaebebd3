import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { ask, pause, within } from "../../src/base/deadline.ts";

const reason = new Error("the caller hung up");

describe("a pause", () => {
  it("ends after its time", async () => {
    const began = performance.now();
    await pause(20);
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
  });

  it("ends at once, with the reason, when the signal aborts before or meanwhile", async () => {
    await expect(pause(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const waiting = pause(60_000, abort.signal);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("leaves no listener behind", async () => {
    const { signal } = new AbortController();
    await Promise.all([pause(1, signal), pause(2, signal)]);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("asking", () => {
  it("gives the first answer that is defined, be it false, and asks no more", async () => {
    const answers = [undefined, undefined, false, true];
    expect(await ask(() => answers.shift(), { everyMs: 1, withinMs: 1_000 })).toBe(false);
    expect(answers).toEqual([true]);
  });

  it("takes promises for answers", async () => {
    expect(await ask(() => Promise.resolve("yes"), { everyMs: 1, withinMs: 0 })).toBe("yes");
  });

  it("asks once even where there is no time", async () => {
    let asked = 0;
    await ask(() => void asked++, { everyMs: 1, withinMs: 0 });
    expect(asked).toBe(1);
  });

  it("gives undefined after its time, having asked again and again", async () => {
    const began = performance.now();
    let asked = 0;
    expect(await ask(() => void asked++, { everyMs: 5, withinMs: 50 })).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThanOrEqual(49);
    expect(asked).toBeGreaterThan(2);
  });

  it("lets an error of the question through", async () => {
    await expect(ask(() => Promise.reject(reason), { everyMs: 1, withinMs: 1_000 })).rejects.toBe(reason);
  });

  it("ends when the signal aborts", async () => {
    const abort = new AbortController();
    const asking = ask(() => undefined, { everyMs: 60_000, withinMs: 120_000, signal: abort.signal });
    abort.abort(reason);
    await expect(asking).rejects.toBe(reason);
  });
});

describe("a promise within a time", () => {
  it("gives what it resolves with, or lets its error through", async () => {
    expect(await within(1_000, Promise.resolve("done"))).toBe("done");
    await expect(within(1_000, Promise.reject(reason))).rejects.toBe(reason);
  });

  it("gives undefined when it takes longer, and drops what it rejects with later", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    const late = pause(20).then(() => Promise.reject(reason));
    expect(await within(5, late)).toBeUndefined();
    await expect(late).rejects.toBe(reason);
    await pause(5);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});
