import { describe, expect, it } from "vitest";
import { segmentsAfter } from "../../../src/postgres/replication/salvage-wal.ts";

const names = [
  "000000010000000000000008",
  "000000010000000000000009",
  "00000001000000000000000A",
  "00000001000000010000000A",
  "00000002000000000000000A",
  "00000002.history",
  "archive_status",
];
const megabyte = 1024n * 1024n;

describe("what a replica inherits of a dead leader's WAL", () => {
  it("is its own timeline from the segment it received last, in order", () => {
    expect(segmentsAfter(names, { received: 0x9000100n, timeline: 1 }, 16n * megabyte)).toEqual([
      "000000010000000000000009",
      "00000001000000000000000A",
      "00000001000000010000000A",
    ]);
  });
  it("is counted in segments of the cluster's own size", () => {
    expect(segmentsAfter(names, { received: 9n * 64n * megabyte, timeline: 1 }, 64n * megabyte)[0]).toBe(
      "000000010000000000000009",
    );
  });
  it("is nothing where it has more than there is", () => {
    expect(segmentsAfter(names, { received: 0x20b000000n, timeline: 1 }, 16n * megabyte)).toEqual([]);
  });
});
