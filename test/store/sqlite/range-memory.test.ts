import { describe, expect, it } from "vitest";
import { RangeMemory } from "../../../src/store/sqlite/range-memory.ts";
import type { Entry } from "../../../src/store/store.ts";

const entry = (key: string): Entry => ({ key, value: "{}", createRevision: 1, modRevision: 1 });

describe("the memory of ranges", () => {
  const reads: string[] = [];
  const read = (prefix: string, count = 1) => {
    return () => {
      reads.push(prefix);
      return Array.from({ length: count }, (_, n) => entry(`${prefix}${n}`));
    };
  };

  it("gives the same entries again, and for what changed since a new one, without reading", () => {
    const memory = new RangeMemory();
    const first = memory.of("apps/", read("apps/", 3));
    memory.note([
      { type: "put", key: "machines/1", value: "{}", revision: 2 },
      { type: "put", key: "apps/1", value: "1", revision: 2 },
      { type: "put", key: "apps/1a", value: "2", revision: 2 },
      { type: "delete", key: "apps/2", revision: 2 },
      { type: "delete", key: "apps/never", revision: 2 },
    ]);
    const second = memory.of("apps/", read("apps/"));
    expect(second.map(({ key, createRevision, modRevision }) => [key, createRevision, modRevision])).toEqual([
      ["apps/0", 1, 1],
      ["apps/1", 1, 2],
      ["apps/1a", 2, 2],
    ]);
    expect(second[0]).toBe(first[0]);
    expect(first.map(({ key }) => key)).toEqual(["apps/0", "apps/1", "apps/2"]);
    expect(reads.splice(0)).toEqual(["apps/"]);
  });

  it("keeps so many ranges, and none that is long", () => {
    const memory = new RangeMemory({ ranges: 2, entries: 3 });
    for (const prefix of ["a/", "b/", "c/", "c/", "b/", "a/"]) memory.of(prefix, read(prefix));
    expect(reads.splice(0)).toEqual(["a/", "b/", "c/", "a/"]);
    for (let again = 0; again < 2; again++) memory.of("long/", read("long/", 4));
    expect(reads.splice(0)).toEqual(["long/", "long/"]);
    memory.note([1, 2, 3].map((n) => ({ type: "put", key: `a/x${n}`, value: "{}", revision: 2 })));
    memory.of("a/", read("a/"));
    expect(reads.splice(0)).toEqual(["a/"]);
  });
});
