import { expect, it } from "vitest";
import { CommandError } from "../../../src/host/process/command.ts";
import { initdbArguments, isDiskFull } from "../../../src/postgres/instance/initdb.ts";

const at = { data: "/d", passwordFile: "/p" };

it.each([
  [15, "linux", "--locale=C.UTF-8", false],
  [17, "linux", "--locale=C.UTF-8", true],
  [15, "darwin", "--locale=C", false],
  [18, "darwin", "--locale=C", true],
])("initdb of %i on %s sorts by code point", (major, platform, locale, builtin) => {
  const args = initdbArguments({ ...at, major, platform });
  expect(args).toContain(locale);
  expect(args.includes("--builtin-locale=C.UTF-8")).toBe(builtin);
  expect(args).toEqual(
    expect.arrayContaining(["--data-checksums", "--auth=scram-sha-256", "--pwfile=/p", "--pgdata=/d"]),
  );
});

it("a full disk is known by Node's code and by what programs say", () => {
  const said = (stderr: string) => new CommandError(["initdb"], { exitCode: 1, signal: null, stderr });
  expect(isDiskFull(Object.assign(new Error("write"), { code: "ENOSPC" }))).toBe(true);
  expect(isDiskFull(said("could not write file: No space left on device"))).toBe(true);
  expect(isDiskFull(said("Permission denied"))).toBe(false);
});
