import { describe, expect, it } from "vitest";
import { deathRegister } from "../../src/reconcile/deaths.ts";

const runs = { running: true, planned: false };
const dead = { running: false, planned: false };

describe("who died", () => {
  it("is who ran and does not run any more, once a death, for a minute", () => {
    const deaths = deathRegister();
    expect(deaths.look("a1", runs, 0)).toEqual([]);
    expect(deaths.look("a1", dead, 10)).toEqual([10]);
    expect(deaths.look("a1", dead, 20)).toEqual([10]);
    deaths.done({ do: "start", machine: "a1" });
    expect(deaths.look("a1", dead, 30)).toEqual([10, 30]);
    expect(deaths.look("a1", runs, 60_020)).toEqual([30]);
    expect(deaths.look("a2", dead, 60_020)).toEqual([]);
  });

  it.each([
    ["a user stopped and started", { do: "stop", machine: "a1", mode: "fast" } as const],
    ["was restarted, for a setting", { do: "restart", machine: "a1" } as const],
    ["was rewound", { do: "rewind", machine: "a1" } as const],
    ["was restarted, because it did not stream", { do: "reconnect", machine: "a1" } as const],
    [
      "led before a switchover",
      { do: "lead", change: { kind: "switchover", from: "a1", candidates: ["a2"], because: "" } } as const,
    ],
    ["was to lead", { do: "lead", change: { kind: "failover", from: "a2", candidates: ["a1"], because: "" } } as const],
  ])("is not who %s, however often", (_title, step) => {
    const deaths = deathRegister();
    for (let at = 0; at < 500; at += 100) {
      expect(deaths.look("a1", runs, at)).toEqual([]);
      deaths.begun(step);
      expect(deaths.look("a1", { running: true, planned: true }, at + 10)).toEqual([]);
      expect(deaths.look("a1", dead, at + 20)).toEqual([]);
      deaths.begun({ do: "start", machine: "a1" });
      deaths.done({ do: "start", machine: "a1" });
    }
    expect(deaths.look("a1", dead, 1_000)).toEqual([1_000]);
  });

  it("is not who was found dead by a perchd that has just started", () => {
    const deaths = deathRegister();
    for (let at = 0; at < 5; at++) expect(deaths.look("a1", dead, at)).toEqual([]);
  });

  it("is also who dies while its settings are written", () => {
    const deaths = deathRegister();
    deaths.look("a1", runs, 0);
    deaths.begun({ do: "configure", machine: "a1" });
    deaths.look("a1", { running: true, planned: true }, 10);
    expect(deaths.look("a1", dead, 20)).toEqual([20]);
  });
});
