import { describe, expect, it } from "vitest";
import { errorText, exitCodeOf } from "../../src/cli/exit-code.ts";
import { fail } from "../../src/errors/error.ts";

describe("the exit code", () => {
  it.each<[string, unknown, number]>([
    ["wrong usage", fail("no_app", {}), 2],
    ["a failure", fail("app_not_found", { app: "x" }), 1],
    ["a command that does not exist", fail("command_not_found", { command: "x" }), 127],
    ["a command that cannot be run", fail("command_not_executable", { command: "x" }), 126],
    ["Ctrl-C at a question", fail("question_cancelled", {}), 130],
    ["something nobody expected", new Error("x"), 1],
  ])("of %s", (_, error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });

  it("of an interruption is that of the signal, whatever error it led to", () => {
    expect(exitCodeOf(fail("cancelled", { what: "it" }), "SIGINT")).toBe(130);
    expect(exitCodeOf(fail("interrupted", { seconds: 1 }), "SIGTERM")).toBe(143);
  });
});

describe("an error on stderr", () => {
  it("is a sentence with its code, and what to do next", () => {
    expect(errorText(fail("app_not_found", { app: "web" }), false)).toBe(
      'Error: app "web" does not exist [app_not_found]\nNext: List the apps with: perch apps list\n',
    );
  });

  it("has no second line where there is nothing to do", () => {
    expect(errorText(fail("question_cancelled", {}), false)).toBe("Error: nothing was done [question_cancelled]\n");
  });

  it("is one JSON value with --json", () => {
    expect(JSON.parse(errorText(fail("app_not_found", { app: "web" }), true))).toEqual({
      error: {
        code: "app_not_found",
        message: 'app "web" does not exist',
        next: "List the apps with: perch apps list",
      },
    });
  });
});
