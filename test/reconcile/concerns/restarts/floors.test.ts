import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLog } from "../../../../src/base/log.ts";
import { homeOf } from "../../../../src/host/system/home.ts";
import { layout } from "../../../../src/postgres/instance/directory.ts";
import { floorsOf, floorsSeen } from "../../../../src/reconcile/concerns/restarts/floors.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

/** A member whose pg_control is as the test makes it. */
function world(make: (path: string) => void) {
  const home = homeOf(temporaryDirectory(), "default");
  const { data } = layout(home, "a1");
  mkdirSync(join(data, "global"), { recursive: true });
  make(join(data, "global", "pg_control"));
  const said: string[] = [];
  return { said, context: { home, log: openLog({ write: (line) => void said.push(line) }) } };
}

describe("what a member has of the settings in which a standby may not have less", () => {
  it("is read from its control file, and is nothing where there is none", async () => {
    const bytes = Buffer.alloc(8_192);
    bytes.writeInt32LE(77, 180);
    const { context } = world((path) => writeFileSync(path, bytes));
    expect(Object.values(await floorsSeen(context, "a1"))).toContain(77);
    expect(await floorsSeen(context, "gone")).toEqual({});
  });

  it.each([
    ["a link", (path: string) => symlinkSync("/dev/zero", path)],
    ["a directory", (path: string) => mkdirSync(path)],
  ])("is said, and keeps nobody from looking, where somebody laid %s there", async (_what, make) => {
    const { context, said } = world(make);
    await expect(floorsOf(context, "a1")).rejects.toThrow("pg_control");
    expect(await floorsSeen(context, "a1")).toEqual({});
    expect(said.join()).toContain("could not be read");
  });
});
