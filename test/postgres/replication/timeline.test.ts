import { describe, expect, it } from "vitest";
import { isPartOf, parseHistory } from "../../../src/postgres/replication/timeline.ts";

const forks = parseHistory("1\t0/3000148\tno recovery target specified\n\n2\t1/A0\tbefore 2000-01-01\n");

describe("a timeline's history file", () => {
  it("says where each earlier timeline was left", () => {
    expect([...forks]).toEqual([
      [1, 0x3000148n],
      [2, 0x1000000a0n],
    ]);
  });
  it("is empty for the first timeline", () => {
    expect(parseHistory("").size).toBe(0);
  });
  it("keeps nobody long that is none, whatever PostgreSQL's user wrote there, and has no number in it that is none", () => {
    const began = performance.now();
    for (const piece of ["\n", " ", "\t1", "1 ", "1 A/", "1\t0/3000148 ", "9", "1 F"])
      parseHistory(piece.repeat(200_000));
    expect(performance.now() - began).toBeLessThan(2_000);
    const [line, far] = ["1\t0/3000148\n", `2\t0/${"F".repeat(40)}\n${"3".repeat(40)}\t0/1\n`];
    expect([...parseHistory(line + "\n".repeat(200_000) + far)]).toEqual([[1, 0x3000148n]]);
  });
});

describe("WAL that was written on a timeline", () => {
  const history = { timeline: 3, forks };
  it.each([
    ["is part of the history up to where that timeline was left", 1, 0x3000148n, true],
    ["is not beyond that", 1, 0x3000149n, false],
    ["is on the present timeline, however far", 3, 0xffffffffffn, true],
    ["is not on a timeline that the history does not know", 4, 1n, false],
  ])("%s", (_title, timeline, position, expected) => {
    expect(isPartOf(history, { timeline, position })).toBe(expected);
  });
});
