import { afterEach, describe, expect, it, vi } from "vitest";
import { switchOver } from "../../../src/engine/local/switchover.ts";
import { at, fakeOperations } from "./fake-operations.ts";

const change = { kind: "switchover" as const, from: "a1", candidates: ["a2"], because: "it was asked for" };
const whole = [
  "begin switchover a2",
  "arm a2",
  "checkpoint a1",
  "checkpoint a2",
  "pause",
  "hold",
  "stop a1 a2",
  "promote a2",
  "crown a2 whole",
  "gather a2 a1",
  "open a2",
  "goOn",
  "rest",
];

describe("a switchover", () => {
  afterEach(() => void vi.useRealTimers());

  it("prepares before anybody waits, and opens when the new leader has whom it waits for", async () => {
    const { operations, done } = fakeOperations();
    expect(await switchOver(operations, change)).toBeGreaterThan(0);
    expect(done).toEqual(whole);
  });

  // What is undone after each failure; nothing else is done.
  it.each([
    ["begin", []],
    ["arm", ["withdraw"]],
    ["checkpoint", ["withdraw"]],
    ["pause", []],
    ["hold", ["goOn"]],
    ["stop", ["withdraw", "letGo", "goOn"]],
    ["promote", ["withdraw", "letGo", "goOn"]],
    // It is promoted: whoever comes next finds it so.
    ["crown", ["goOn"]],
    ["gather", ["goOn"]],
    ["open", ["goOn"]],
  ] as const)("in which `%s` fails ends there, and keeps nobody waiting", async (operation, undone) => {
    const { operations, done } = fakeOperations(operation);
    await expect(switchOver(operations, change)).rejects.toThrow(`${operation} fails`);
    const until = whole.findIndex((step) => step.split(" ")[0] === operation);
    expect(done).toEqual([...whole.slice(0, until + 1), ...undone]);
  });

  it("is none while another change is under way", async () => {
    const { operations, done } = fakeOperations(undefined, { begun: true });
    await expect(switchOver(operations, change)).rejects.toMatchObject({ code: "busy" });
    expect(done).toEqual(["begin switchover a2"]);
  });

  it("keeps the old leader, when that did not stop in order: it alone may have the last commits", async () => {
    const fake = fakeOperations();
    fake.checkpoint = undefined;
    await expect(switchOver(fake.operations, change)).rejects.toMatchObject({
      code: "replica_unfit",
      message: expect.stringContaining("in order") as string,
    });
    expect(fake.done.slice(-4)).toEqual(["stop a1 a2", "withdraw", "letGo", "goOn"]);
  });

  it("lets nobody wait for a replica that does not answer", async () => {
    const fake = fakeOperations();
    fake.members.delete("a2");
    await expect(switchOver(fake.operations, change)).rejects.toMatchObject({ code: "replica_unfit" });
    expect(fake.done).toEqual(["begin switchover a2", "withdraw"]);
  });

  it("gives up before the promotion, when the replica dies in that moment", async () => {
    const fake = fakeOperations();
    const { stop } = fake.operations;
    Object.assign(fake.operations, {
      stop: async (id: string, next: string) => {
        await stop(id, next);
        fake.members.delete("a2");
        fake.lives.delete("a2");
      },
    });
    await expect(switchOver(fake.operations, change)).rejects.toMatchObject({
      message: expect.stringContaining("died") as string,
    });
    expect(fake.done).not.toContain("promote a2");
  });

  it.each([
    ["replay", { received: 900n, replayed: 100n }],
    ["receive", { received: 100n, replayed: 100n }],
  ])("lets nobody wait for a replica that does not %s, and says so", async (verb, standing) => {
    vi.useFakeTimers();
    const fake = fakeOperations();
    fake.members.set("a2", at(standing));
    const ended = switchOver(fake.operations, change).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await ended).toMatchObject({ message: expect.stringContaining(`does not ${verb}`) as string });
    expect(fake.done).toContain("clearWay a2");
    expect(fake.done).not.toContain("hold");
    expect(fake.done.at(-1)).toBe("withdraw");
  });

  it("ends reads that keep the replica from replaying the last WAL, while connections wait", async () => {
    const fake = fakeOperations();
    const { stop } = fake.operations;
    Object.assign(fake.operations, {
      stop: async (id: string, next: string) => {
        await stop(id, next);
        fake.members.set("a2", at({ received: 900n, replayed: 800n }));
      },
      clearWay: (id: string, afterMs: number) => {
        fake.done.push(`clearWay ${id}`);
        fake.members.set("a2", at());
        return Promise.resolve(expect(afterMs).toBeLessThanOrEqual(1_000));
      },
    });
    await switchOver(fake.operations, change);
    expect(fake.done.slice(6, 9)).toEqual(["stop a1 a2", "clearWay a2", "promote a2"]);
  });

  it("begun by a perchd that was killed goes on where that was", async () => {
    const stopped = fakeOperations();
    stopped.members.delete("a1");
    stopped.lives.delete("a1");
    await switchOver(stopped.operations, change);
    expect(stopped.done).toEqual(whole.filter((step) => !step.startsWith("checkpoint")));

    const promoted = fakeOperations();
    promoted.members.delete("a1");
    promoted.lives.delete("a1");
    promoted.members.set("a2", at({ recovering: false }));
    expect(await switchOver(promoted.operations, change)).toBe(0);
    expect(promoted.done).toEqual(["crown a2 whole", "gather a2 a1", "open a2", "rest"]);
  });

  it("is none to a member that was promoted by hand while the leader leads", async () => {
    const fake = fakeOperations();
    fake.members.set("a2", at({ recovering: false }));
    await expect(switchOver(fake.operations, change)).rejects.toMatchObject({ code: "replica_unfit" });
    expect(fake.done).toEqual(["withdraw"]);
  });
});
