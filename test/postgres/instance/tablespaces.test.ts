import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { layout } from "../../../src/postgres/instance/directory.ts";
import { tablespacesOutside } from "../../../src/postgres/instance/tablespaces.ts";
import { findHome } from "../../../src/host/system/home.ts";
import { tempHome } from "../../support/temporary.ts";

describe("tablespaces outside of a data directory", () => {
  const at = layout(findHome({ PERCH_HOME: tempHome() }), "0123456789abcd");

  it("are none where there is no data", async () => {
    expect(await tablespacesOutside(at)).toEqual([]);
  });

  it("are the links in pg_tblspc, and not those that lie within it", async () => {
    mkdirSync(join(at.data, "pg_tblspc", "16400"), { recursive: true });
    expect(await tablespacesOutside(at)).toEqual([]);
    symlinkSync("/nowhere/fast", join(at.data, "pg_tblspc", "16401"));
    expect(await tablespacesOutside(at)).toEqual(["16401"]);
  });
});
