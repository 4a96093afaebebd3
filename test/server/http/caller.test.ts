import { describe, expect, it } from "vitest";
import { callerText } from "../../../src/client/caller.ts";
import { callerOf } from "../../../src/server/http/caller.ts";

describe("who calls by the socket", () => {
  it("is what perch says of its own user", () => {
    const said = callerText({ SUDO_UID: "1000" });
    expect(said).toMatch(/^uid \d+ \(.+\), by sudo of uid 1000$/);
    expect(callerOf({ "perch-caller": said })).toBe(said);
  });

  it.each([
    ["nothing", undefined],
    ["another shape", "token admin"],
    ["a line break", "uid 0\nfake"],
    ["too much", `uid 0 ${"x".repeat(200)}`],
  ])("is the socket where it says %s", (_what, said) => {
    expect(callerOf(said === undefined ? {} : { "perch-caller": said })).toBe("the socket");
  });
});
