import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodeAs, lookUpCommand, runInteractive } from "../../../src/host/process/interactive.ts";

describe("a program with our terminal", () => {
  it("ends us with its own exit code, or 128 + the signal", async () => {
    expect(await (await runInteractive(["sh", "-c", "exit 7"], process.env)).ended).toBe(7);
    expect(await (await runInteractive(["sh", "-c", "kill -KILL $$"], process.env)).ended).toBe(137);
    expect(exitCodeAs(null, "SIGINT")).toBe(130);
  });

  it("gets the signals that we get, and leaves no listener behind", async () => {
    const before = process.listenerCount("SIGUSR2");
    const running = await runInteractive(
      ["sh", "-c", 'trap "exit 42" USR2; while :; do sleep 0.01; done'],
      process.env,
    );
    const nag = setInterval(() => process.emit("SIGUSR2"), 50);
    expect(await running.ended).toBe(42);
    clearInterval(nag);
    expect(process.listenerCount("SIGUSR2")).toBe(before);
  });

  it("that does not exist is an error and leaves no listener behind", async () => {
    const before = process.listenerCount("SIGTERM");
    await expect(runInteractive(["/absent/program"], process.env)).rejects.toThrow("ENOENT");
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});

describe("looking up a command", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "perch-lookup-"));
    for (const name of ["a", "b", "folder/tool"]) mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, "a/plain"), "");
    writeFileSync(join(directory, "b/runs"), "#!/bin/sh\n");
    chmodSync(join(directory, "b/runs"), 0o755);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each<[string, string, string]>([
    ["runs", "a:b", "runnable"],
    ["runs", "a", "missing"],
    ["plain", "a:b", "not executable"],
    ["./b/runs", "", "runnable"],
    ["b/absent", "b", "missing"],
    ["./a", "", "not executable"],
    ["tool", "folder", "missing"],
    ["sh", "/usr/bin:/bin", "runnable"],
  ])("%s along %j: %s", async (command, path, found) => {
    expect(await lookUpCommand(command, path, directory)).toBe(found);
  });
});
