import { describe, expect, it } from "vitest";
import { fail, isCode, type PerchError, toPerchError } from "../../src/errors/error.ts";
import { type ErrorCode, type ErrorEntry, register } from "../../src/errors/register.ts";

const entries = Object.entries(register) as [ErrorCode, ErrorEntry][];
const placeholders = (entry: ErrorEntry): string[] =>
  [...`${entry.message} ${entry.next}`.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
/** `fail` with a value for each placeholder, whichever code it is. */
const failWith = fail as (code: ErrorCode, params: Record<string, string>, cause?: unknown) => PerchError;

it("an error writes out what a terminal would obey, whoever sent it", () => {
  const { message } = fail("app_not_found", { app: "\u001b]0;x\u0007\u202e\n__proto__" });
  expect(message).toBe('app "\\u{1b}]0;x\\u{7}\\u{202e}\n__proto__" does not exist');
});

describe("the register of errors", () => {
  it("has entries", () => {
    expect(entries.length).toBeGreaterThan(60);
  });

  it.each(entries)("has %s in good order", (code, entry) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    for (const sentence of [entry.message, entry.next]) {
      expect(sentence.trim()).toBe(sentence);
      expect(sentence).not.toMatch(/ {2}|[\p{Cc}]/u);
      // Every brace is part of a placeholder.
      expect(sentence.replace(/\{[a-z]+\}/g, "")).not.toMatch(/[{}]/);
    }
    // A message goes on in the terminal's line; a next step is a sentence of its own, or a command at its end.
    expect(entry.message).not.toMatch(/\.$/);
    expect(entry.message).not.toBe("");
    // Who said no at a prompt needs no advice; what is named by the caller begins as he has it.
    if (code !== "question_cancelled") expect(entry.next).toMatch(/^([A-Z]|chmod |perchd |\{)/);
    if (entry.exit === 2) expect([entry.kind, entry.status]).toEqual(["user", 400]);
    if (entry.status >= 500 && entry.status !== 503) expect(entry.kind).toBe("system");
  });

  it.each(entries)("lets %s be filled", (code, entry) => {
    const params = Object.fromEntries(placeholders(entry).map((name) => [name, `<${name}>`]));
    const error = failWith(code, params);
    expect(`${error.message} ${error.next}`).not.toMatch(/[{}]/);
    for (const value of Object.values(params)) expect(`${error.message} ${error.next}`).toContain(value);
    expect(error.toBody()).toEqual({ code, message: error.message, next: error.next });
    expect(error.entry).toBe(entry);
  });

  it("says something else for each code", () => {
    expect(new Set(entries.map(([, entry]) => `${entry.message} ${entry.next}`)).size).toBe(entries.length);
  });
});

describe("an error of the register", () => {
  it("says what, and what next, with its parameters filled in", () => {
    const error = fail("app_exists", { app: "web", noun: "apps" });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "PerchError",
      code: "app_exists",
      message: 'app "web" already exists',
      next: "Choose another name, or destroy it first: perch apps destroy web",
    });
  });

  it("takes parameters as they are, whatever they look like", () => {
    expect(fail("name_invalid", { what: "{why}", name: "$&{name}$1", why: "{what}" }).message).toBe(
      '{why} "$&{name}$1" is not valid: {what}',
    );
    expect(fail("state_newer", { path: "p", what: "it has schema 2, this one knows 1" }).message).toContain("schema 2");
  });

  it("keeps its cause for the log and out of the body", () => {
    const cause = new Error("disk on fire");
    const error = fail("disk_full", { path: "/data" }, cause);
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error.toBody())).not.toContain("fire");
    expect("cause" in fail("no_app", {})).toBe(false);
  });

  it("is made of anything that was thrown", () => {
    const own = fail("no_app", {});
    expect(toPerchError(own)).toBe(own);
    const cause = new TypeError("x is not a function");
    expect(toPerchError(cause)).toMatchObject({
      code: "internal",
      message: "Perch failed: x is not a function",
      cause,
    });
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      path: "/h/perchd.json",
    });
    expect(toPerchError(full)).toMatchObject({
      code: "disk_full",
      message: "the disk under /h/perchd.json is full",
      cause: full,
    });
    expect(toPerchError("a string").message).toBe("Perch failed: a string");
    expect(toPerchError(undefined).message).toBe("Perch failed: undefined");
  });

  it("is recognised by its code", () => {
    expect(isCode(fail("no_app", {}), "no_app")).toBe(true);
    expect(isCode(fail("no_app", {}), "no_command")).toBe(false);
    expect(isCode({ code: "no_app" }, "no_app")).toBe(false);
  });
});
