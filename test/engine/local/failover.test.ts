import { afterEach, describe, expect, it, vi } from "vitest";
import { failOver } from "../../../src/engine/local/failover.ts";
import { at, type Fake, fakeOperations } from "./fake-operations.ts";

const change = {
  kind: "failover" as const,
  from: "a1",
  candidates: ["a2", "a3"],
  because: "its data directory is gone",
};
const whole = [
  "hold",
  "kill a1",
  "begin failover a2",
  "arm a2",
  "inherit a2 a1",
  "learnTimelines a2",
  "promote a2",
  "crown a2 lost",
  "gather a2",
  "open a2",
  "rest",
];

describe("a failover", () => {
  afterEach(() => void vi.useRealTimers());

  it("ends the old leader before anything else, and opens when the new one has whom it waits for", async () => {
    const { operations, done } = fakeOperations();
    expect(await failOver(operations, change)).toMatchObject({ to: "a2" });
    expect(done).toEqual(whole);
  });

  it.each(["kill", "begin", "arm", "inherit", "learnTimelines", "promote", "crown", "gather", "open"] as const)(
    "in which `%s` fails ends there and lets go, to be tried again",
    async (operation) => {
      const { operations, done } = fakeOperations(operation);
      await expect(failOver(operations, change)).rejects.toThrow(`${operation} fails`);
      const until = whole.findIndex((step) => step.split(" ")[0] === operation);
      expect(done).toEqual([...whole.slice(0, until + 1), "letGo"]);
    },
  );

  const ledBy = async (prepare: (fake: Fake) => void, from: Partial<typeof change> = {}) => {
    const fake = fakeOperations();
    prepare(fake);
    const { to } = await failOver(fake.operations, { ...change, ...from });
    return { to, done: fake.done };
  };

  it("promotes whom has received most, on the latest timeline, once no WAL comes in any more", async () => {
    const more = await ledBy(({ members }) => void members.set("a3", at({ received: 950n })));
    expect(more.to).toBe("a3");
    const later = await ledBy(({ members }) => void members.set("a3", at({ received: 100n, timeline: 2 })));
    expect(later.to).toBe("a3");
  });

  it("begun by a perchd that was killed takes the one that is promoted already, and promotes none", async () => {
    const { to, done } = await ledBy(({ members }) => void members.set("a3", at({ recovering: false, received: 1n })));
    expect(to).toBe("a3");
    expect(done.filter((step) => step.startsWith("promote"))).toEqual([]);
  });

  it("to a leader whose promotion was cut short kills and inherits nothing", async () => {
    const { done } = await ledBy(({ members }) => void members.set("a1", at({ streaming: false })), {
      candidates: ["a1"],
    });
    expect(done).toEqual([
      "hold",
      "begin failover a1",
      "arm a1",
      "learnTimelines a1",
      "promote a1",
      "crown a1 lost",
      "gather a1",
      "open a1",
      "rest",
    ]);
  });

  it("is none while no candidate answers: the old leader is dead, and connections lead where the loop sees a leader", async () => {
    vi.useFakeTimers();
    const fake = fakeOperations();
    fake.members.delete("a2");
    const ended = failOver(fake.operations, change).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await ended).toMatchObject({ code: "no_active_leader" });
    expect(fake.done).toEqual(["hold", "kill a1", "letGo"]);
  });
});
