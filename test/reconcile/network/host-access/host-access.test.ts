import { describe, expect, it } from "vitest";
import { forHostAccess } from "../../../../src/reconcile/network/host-access/host-access.ts";

describe("what is done about the host's own way in", () => {
  const wanted = { hostAccess: true } as const;
  const planned = (
    network: { hostAccess?: true; hostAccessPhase?: "creating" },
    facts: "open" | "left" | "closed",
    mode: "root" | "user" = "root",
  ) => forHostAccess({ network, mode }, facts).map(({ because, quiet }) => (quiet === true ? `(${because})` : because));

  it("is nothing while it is as it is wanted, or cannot be at all", () => {
    expect([planned(wanted, "open"), planned({}, "closed"), planned(wanted, "closed", "user")]).toEqual([[], [], []]);
  });

  it("opens it when it is asked for, and again when it is gone", () => {
    expect(planned({ ...wanted, hostAccessPhase: "creating" }, "closed")).toEqual([
      "open the host's way in: it was asked for",
    ]);
    expect(planned(wanted, "closed")).toEqual(["open the host's way in: it is wanted, and is not there"]);
  });

  it("goes on with a wish that a killed perchd had made true and not said so", () => {
    expect(planned({ ...wanted, hostAccessPhase: "creating" }, "left")).toHaveLength(1);
    expect(planned({ ...wanted, hostAccessPhase: "creating" }, "open")).toHaveLength(1);
  });

  it("takes over one that is there without a word, and closes one that is not wanted, whoever opened it", () => {
    expect(planned(wanted, "left")).toEqual(["(open the host's way in: it was open when perchd ended)"]);
    expect([planned({}, "left"), planned({}, "open")]).toEqual([
      ["close the host's way in: it is not wanted any more"],
      ["close the host's way in: it is not wanted any more"],
    ]);
  });
});
