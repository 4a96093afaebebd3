import { describe, expect, it } from "vitest";
import { gate } from "../../../src/host/sockets/admission.ts";
import { defaultLimits } from "../../../src/model/exposure.ts";

const limits = { total: 5, perSource: 3, perSecond: 2, failures: 3, failuresWithin: 60, shutFor: 300 };

/** A gate with a clock in seconds that the test sets. */
function gateAt(more = {}) {
  const clock = { seconds: 0 };
  return { clock, keeper: gate({ ...limits, ...more }, () => clock.seconds * 1_000) };
}

describe("the gate of a public door", () => {
  it("lets a source have so many connections open, and another one after it has closed one", () => {
    const { clock, keeper } = gateAt({ perSecond: 1 });
    expect([1, 2, 3].map(() => keeper.admit("a"))).toEqual([undefined, undefined, undefined]);
    clock.seconds = 1;
    expect(keeper.admit("a")).toBe("too many");
    keeper.left("a");
    keeper.left("a");
    expect(keeper.open).toBe(1);
    expect([1, 2].map(() => keeper.admit("a"))).toEqual([undefined, "too quick"]); // no more time has passed
  });

  it("lets all sources together have so many", () => {
    const { keeper } = gateAt();
    for (const source of ["a", "b", "c", "d", "e"]) expect(keeper.admit(source)).toBeUndefined();
    expect(keeper.admit("f")).toBe("full");
    keeper.left("c");
    expect(keeper.admit("f")).toBeUndefined();
  });

  it("lets a source come at once as often as it may be inside, then so often a second", () => {
    const { clock, keeper } = gateAt();
    const come = () => {
      const refusal = keeper.admit("a");
      if (refusal === undefined) keeper.left("a");
      return refusal;
    };
    expect([1, 2, 3, 4].map(come)).toEqual([undefined, undefined, undefined, "too quick"]);
    clock.seconds = 1;
    expect([1, 2, 3].map(come)).toEqual([undefined, undefined, "too quick"]);
    clock.seconds = 1_000;
    expect([1, 2, 3, 4].map(come)).toEqual([undefined, undefined, undefined, "too quick"]);
  });

  it("shuts a source out after so many wrong passwords within the time, for as long as it says, and nobody else", () => {
    const { clock, keeper } = gateAt();
    expect([keeper.failed("a"), keeper.failed("a")]).toEqual([undefined, undefined]);
    clock.seconds = 10;
    expect(keeper.failed("a")).toBe(310_000);
    expect(keeper.shut()).toEqual([{ source: "a", until: 310_000 }]);
    expect([keeper.admit("a"), keeper.admit("b")]).toEqual(["shut out", undefined]);
    clock.seconds = 311;
    expect(keeper.admit("a")).toBeUndefined();
    expect(keeper.shut()).toEqual([]);
  });

  it("forgets a wrong password after the time", () => {
    const { clock, keeper } = gateAt();
    for (const seconds of [0, 30, 61, 95]) {
      clock.seconds = seconds;
      expect(keeper.failed("a")).toBeUndefined();
    }
  });

  it("forgets sources that have gone when there are very many, and none that is inside or shut out", () => {
    const { clock, keeper } = gateAt({ total: 100_000 });
    expect(keeper.admit("inside")).toBeUndefined();
    for (const _ of [1, 2, 3]) keeper.failed("shut");
    for (let n = 0; n < 30_000; n++) {
      clock.seconds = n / 100;
      if (keeper.admit(`source ${n}`) === undefined) keeper.left(`source ${n}`);
    }
    expect(keeper.admit("shut")).toBe("shut out");
    keeper.left("inside");
    expect(keeper.open).toBe(0);
  });

  it("is as quick for the hundred thousandth source within a minute as for the first", () => {
    const { clock, keeper } = gateAt({ total: 100_000 });
    for (const _ of [1, 2, 3]) keeper.failed("shut");
    expect(keeper.admit("inside")).toBeUndefined();
    const come = (from: number) => {
      const since = performance.now();
      for (let n = from; n < from + 10_000; n++) {
        clock.seconds = n / 2_000;
        if (keeper.admit(`source ${n}`) === undefined) keeper.left(`source ${n}`);
      }
      return performance.now() - since;
    };
    const times = Array.from({ length: 10 }, (_, tens) => come(tens * 10_000));
    // Where every source is looked at each time, the last ones take seconds.
    expect(Math.max(...times)).toBeLessThan(1_000);
    expect(keeper.admit("shut")).toBe("shut out");
    expect(keeper.open).toBe(1);
  });

  it("takes new limits while connections are open", () => {
    const { clock, keeper } = gateAt();
    for (const _ of [1, 2, 3]) keeper.admit("a");
    keeper.setLimits({ ...defaultLimits, perSource: 4 });
    clock.seconds = 1;
    expect([keeper.admit("a"), keeper.admit("a")]).toEqual([undefined, "too many"]);
  });
});
