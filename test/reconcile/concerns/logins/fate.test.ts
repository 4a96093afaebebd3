import { describe, expect, it } from "vitest";
import { type Circumstances, fateOf } from "../../../../src/reconcile/concerns/logins/fate.ts";

const until = "2026-11-25T12:00:00.000Z";
const before = Date.parse(until) - 1;
const works = { login: "web", until, ended: false };
const now: Circumstances = { now: before, state: works, runs: new Set(["r1"]), inUse: false };

describe("a former login", () => {
  it.each<[string, { runs?: string[] }, Partial<Circumstances>, string]>([
    ["works until its time", {}, {}, "stay"],
    [
      "is limited in PostgreSQL, too, where a killed perchd had not come so far",
      {},
      { state: { ...works, until: null } },
      "limit",
    ],
    ["ends at its time", {}, { now: before + 1 }, "end"],
    ["ends at its time, whoever uses it", { runs: ["r1"] }, { now: before + 1, inUse: true }, "end"],
    ["works while one of its runs is there", { runs: ["r1", "r2"] }, {}, "stay"],
    ["ends when all of its runs have ended", { runs: ["r2", "r3"] }, {}, "end"],
    ["works though its runs have ended while somebody has a session", { runs: ["r2"] }, { inUse: true }, "stay"],
    ["works though its runs have ended while somebody cannot be asked", { runs: ["r2"] }, { inUse: undefined }, "stay"],
    ["works until its time where no run was known to have it", { runs: [] }, { runs: new Set() }, "stay"],
    [
      "stays when it has ended while somebody has a session",
      {},
      { state: { ...works, ended: true }, inUse: true },
      "stay",
    ],
    ["goes when it has ended and nobody is left", {}, { state: { ...works, ended: true } }, "remove"],
    ["is forgotten when somebody has dropped it", {}, { state: undefined, inUse: undefined }, "remove"],
  ])("%s", (_what, former, circumstances, fate) => {
    expect(fateOf({ until, ...former }, { ...now, ...circumstances })).toBe(fate);
  });
});
