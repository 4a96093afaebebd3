import { describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { actingAs, byItself, currentActor } from "../../src/base/actor.ts";

describe("who acts", () => {
  it("is Perch itself unless somebody asked", () => {
    expect(currentActor()).toBe("perch");
  });

  it("follows what a request starts, also beside another request", async () => {
    const later = async () => {
      await pause(5);
      return currentActor();
    };
    expect(await Promise.all([actingAs("token ci", later), actingAs("uid 0 (root)", later)])).toEqual([
      "token ci",
      "uid 0 (root)",
    ]);
  });

  it("is Perch itself in what a request only wakes", async () => {
    const woken = await actingAs("token ci", () => byItself(() => Promise.resolve().then(currentActor)));
    expect(woken).toBe("perch");
  });
});
