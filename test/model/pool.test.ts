import { describe, expect, it } from "vitest";
import { knowsPreparedStatements, mayPrepare, safeMode, samePool, wantedMode } from "../../src/model/pool.ts";

describe("knowsPreparedStatements", () => {
  it.each([
    ["1.20.1", false],
    ["1.21.0", true],
    ["1.9.0", false],
    ["2.0", true],
  ])("of %s is %s", (version, expected) => {
    expect(knowsPreparedStatements(version)).toBe(expected);
  });
});

describe("the mode of a pooler", () => {
  it.each([
    ["1.18.0", "transaction" as const, undefined, "session"],
    ["1.20.1", "transaction" as const, undefined, "session"],
    ["1.18.0", "transaction" as const, false as const, "transaction"],
    ["1.21.0", "transaction" as const, undefined, "transaction"],
    ["", "transaction" as const, undefined, "session"],
    ["1.25.1", "session" as const, undefined, "session"],
  ])("of version %s, asked for %s with prepared statements %s, is %s", (version, mode, prepared, expected) => {
    const pool = { mode, ...(prepared === undefined ? {} : { preparedStatements: prepared }) };
    expect(safeMode(pool, version)).toBe(expected);
  });

  it("lets clients prepare unless it was said that none does", () => {
    expect(mayPrepare({ mode: "transaction" })).toBe(true);
    expect(mayPrepare({ mode: "transaction", preparedStatements: false })).toBe(false);
  });
});

describe("what is asked for of a pooler", () => {
  const before = { mode: "transaction" as const, preparedStatements: false as const, size: 20, address: "fdaa::20" };
  it.each([
    [
      "transaction mode with a version that knows prepared statements",
      undefined,
      {},
      "1.21.0",
      { mode: "transaction" },
    ],
    ["session mode with an older one", undefined, {}, "1.18.0", { mode: "session" }],
    ["what it was, where nothing is said", before, {}, "1.18.0", { mode: "transaction", preparedStatements: false }],
    ["session mode, where that is said", before, { mode: "session" as const }, "1.18.0", { mode: "session" }],
  ])("is %s", (_title, was, asked, version, expected) => {
    expect(wantedMode(was, asked, version)).toEqual(expected);
  });
  it("is refused where it gives wrong rows, and where it says two things", () => {
    expect(() => wantedMode(undefined, { mode: "transaction" }, "1.18.0")).toThrow(/1\.18\.0/);
    expect(() => wantedMode(before, { preparedStatements: false }, "1.21.0")).toThrow(/--mode transaction/);
  });
  it("is the same when mode, size and statements are, wherever it listens", () => {
    expect(samePool(before, { ...before, address: "fdaa::21" })).toBe(true);
    expect(samePool(before, { ...before, size: 21 })).toBe(false);
    expect(samePool(undefined, before)).toBe(false);
  });
});
