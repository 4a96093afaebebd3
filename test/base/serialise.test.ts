import { expect, it } from "vitest";
import { serialise, serialiseBy } from "../../src/base/serialise.ts";

it("deeds wait for one another, however the one before ended", async () => {
  const inTurn = serialise();
  const done: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = inTurn(async () => {
    await gate;
    done.push("first");
    throw new Error("it failed");
  });
  const second = inTurn(() => Promise.resolve(done.push("second")));
  open();
  await expect(first).rejects.toThrow("it failed");
  expect(await second).toBe(2);
  expect(done).toEqual(["first", "second"]);
});

it("what concerns one key waits, and what concerns another does not", async () => {
  const inTurn = serialiseBy();
  const done: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = inTurn("a", async () => {
    await gate;
    throw new Error("it failed");
  });
  const second = inTurn("a", () => Promise.resolve(done.push("second")));
  await inTurn("b", () => Promise.resolve(done.push("other")));
  expect(done).toEqual(["other"]);
  open();
  await expect(first).rejects.toThrow("it failed");
  expect(await second).toBe(2);
  expect(await inTurn("a", () => Promise.resolve("a later one"))).toBe("a later one");
});
