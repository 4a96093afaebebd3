import { describe, expect, it } from "vitest";
import { fail } from "../../../src/errors/error.ts";
import { missedSecrets, orIsApp } from "../../../src/cli/run/without-app.ts";

describe("a run without an app", () => {
  it.each([
    [["web", "npm", "start"], "perch run -a web -- npm start"],
    [["web", "--", "true"], "perch run -a web -- true"],
    [["web"], "perch run -a web -- COMMAND"],
  ])("whose command is an app is told how an app is named: %s", (command, line) => {
    const error = orIsApp(fail("command_not_found", { command: "web" }), command, ["api", "web"]);
    expect(error).toMatchObject({ code: "command_is_app", next: expect.stringContaining(line) as string });
  });

  it("keeps every other error", () => {
    const missing = fail("command_not_found", { command: "npx" });
    expect(orIsApp(missing, ["npx"], ["web"])).toBe(missing);
    const other = fail("command_not_executable", { command: "web" });
    expect(orIsApp(other, ["web"], ["web"])).toBe(other);
  });

  it("that fails by itself may have missed its secrets, where there are apps to have them", () => {
    expect(missedSecrets(1, ["web"])).toContain("perch run -a web -- COMMAND");
    expect(missedSecrets(254, ["web", "api"])).toContain("perch run -a APP -- COMMAND");
    for (const [exit, apps] of [
      [0, ["web"]],
      [130, ["web"]],
      [143, ["web"]],
      [1, []],
    ] as const)
      expect(missedSecrets(exit, apps)).toBeUndefined();
  });
});
