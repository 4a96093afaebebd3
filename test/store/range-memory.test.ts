import { describe, expect, it } from "vitest";
import { RangeMemory } from "../../src/store/range-memory.ts";
import type { Entry } from "../../src/store/store.ts";

const entry = (key: string): Entry => ({ key, value: "{}", createRevision: 1, modRevision: 1 });

describe("the memory of ranges", () => {
  const reads: string[] = [];
  const read = (prefix: string, count = 1) => {
    return () => {
      reads.push(prefix);
      return Array.from({ length: count }, (_, n) => entry(`${prefix}${n}`));
    };
  };

  it("gives the same entries again until something below the prefix changes", () => {
    const memory = new RangeMemory();
    const first = memory.of("apps/", read("apps/"));
    expect(memory.of("apps/", read("apps/"))).toBe(first);
    memory.forget([{ key: "machines/1" }, { key: "app" }]);
    expect(memory.of("apps/", read("apps/"))).toBe(first);
    memory.forget([{ key: "machines/1" }, { key: "apps/web" }]);
    expect(memory.of("apps/", read("apps/"))).not.toBe(first);
    expect(reads.splice(0)).toEqual(["apps/", "apps/"]);
  });

  it("keeps so many ranges, and none that is long", () => {
    const memory = new RangeMemory({ ranges: 2, entries: 3 });
    for (const prefix of ["a/", "b/", "c/", "c/", "b/", "a/"]) memory.of(prefix, read(prefix));
    expect(reads.splice(0)).toEqual(["a/", "b/", "c/", "a/"]);
    for (let again = 0; again < 2; again++) memory.of("long/", read("long/", 4));
    expect(reads.splice(0)).toEqual(["long/", "long/"]);
  });
});
