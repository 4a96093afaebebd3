import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { requireSplittingEnv } from "../../../src/host/process/env-program.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Programs as busybox and others have theirs: one file, and a link for each name. */
describe("the program env", () => {
  const path = process.env["PATH"];
  afterEach(() => void (process.env["PATH"] = path));

  function instead(name: string, script: string): void {
    const directory = temporaryDirectory();
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    symlinkSync(name, join(directory, "env"));
    process.env["PATH"] = `${directory}:${path}`;
  }

  it("is taken where it is this system's own, and where one of another file does the same", async () => {
    await expect(requireSplittingEnv()).resolves.toBeUndefined();
    instead("coreutils", 'PATH=/usr/bin:/bin; exec env "$@"');
    await expect(requireSplittingEnv()).resolves.toBeUndefined();
  });

  it.each([
    ["knows no -S", "busybox", 'echo "env: unrecognized option: S" >&2; exit 1'],
    ["leaves -S to be a variable's name", "toybox", "exit 0"],
    ["splits what it puts in", "other", 'PATH=/usr/bin:/bin; printf "A= b c\\nB=\\n"'],
  ])("is refused where it %s, with what to install", async (_, name, script) => {
    instead(name, script);
    await expect(requireSplittingEnv()).rejects.toMatchObject({
      code: "tools_missing",
      message: expect.stringContaining("an env that knows -S") as string,
    });
  });
});
