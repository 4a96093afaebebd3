import { describe, expect, it } from "vitest";
import { judge } from "../../../src/postgres/replication/rewind.ts";

/** The leader's timeline 7 left timeline 6 at 1000, and 5 at 500. */
const leading = {
  timeline: 7,
  forks: new Map([
    [5, 500n],
    [6, 1_000n],
  ]),
};
const none = { position: 0n, timeline: 0 };

describe("the data of a stopped member", () => {
  it.each([
    [
      "fits when a replica replayed no further than the leader's history",
      "shut down in recovery",
      6,
      900n,
      { position: 1_000n, timeline: 6 },
      "fits",
    ],
    [
      "fits when it was rewound to the leader's timeline",
      "shut down in recovery",
      6,
      900n,
      { position: 5_000n, timeline: 7 },
      "fits",
    ],
    [
      "parted when a replica replayed what only the lost leader had, after a checkpoint both have",
      "in archive recovery",
      6,
      900n,
      { position: 1_001n, timeline: 6 },
      "parted",
    ],
    [
      "parted when it replayed a timeline that the leader never had",
      "shut down in recovery",
      5,
      400n,
      { position: 600n, timeline: 8 },
      "parted",
    ],
    [
      "parted when it replayed further on an older timeline",
      "shut down in recovery",
      5,
      400n,
      { position: 501n, timeline: 5 },
      "parted",
    ],
    ["fits when a leader ended in order before the leader's history left it", "shut down", 6, 1_000n, none, "fits"],
    ["parted when a leader was killed", "in production", 6, 900n, none, "parted"],
    ["is unfit when it led on the same timeline", "in production", 7, 900n, none, "unfit"],
  ] as const)("%s", (_title, state, timeline, checkpoint, recovered, fit) => {
    expect(judge({ state, timeline, checkpoint, recovered }, false, leading).fit).toBe(fit);
  });

  it("fits as a base backup that was not started yet, whatever its leader had replayed", () => {
    const found = {
      state: "in production",
      timeline: 5,
      checkpoint: 900n,
      recovered: { position: 9_000n, timeline: 6 },
    } as const;
    expect(judge(found, true, leading).fit).toBe("fits");
  });
});
