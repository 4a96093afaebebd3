import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRemote, type RemoteSide } from "../support/remote.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

/** The reader of PostgreSQL's files knows words that are no settings. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))(
  "a setting that takes a file into the configuration",
  () => {
    const world = worldIn();
    let remote: RemoteSide;
    let token = "";

    beforeAll(async () => {
      await world.ok("up");
      await world.create();
      remote = await openRemote(world);
      token = await remote.token("boss", "--scope", "admin");
    });
    afterAll(() => world.ok("down"));

    it.each([
      "include",
      "INCLUDE",
      "Include_If_Exists",
      "include_dir",
      "include-dir",
      "include ",
      "\tinclude",
      "'include'",
      "x.y\ninclude",
    ])("is refused to the owner and to an admin token, and nothing is changed: %s", async (name) => {
      const { id, pid } = await world.leader();
      expect(await world.error("postgres", "config", "update", "-a", "pg", `${name}=/etc/passwd`)).toMatchObject({
        code: expect.stringMatching(/^(setting_(managed|unknown)|usage_invalid)$/) as string,
        exit: 2,
      });
      const body = { set: { [name]: "/etc/passwd" }, unset: [] };
      const { frames } = await remote.ask({ method: "PATCH", path: "/v1/clusters/pg/settings", token, body });
      expect(frames.at(-1)?.error?.code).toMatch(/^setting_(managed|unknown)$/);
      expect(
        await world.sql(id, "SELECT name FROM pg_file_settings WHERE sourcefile = '/etc/passwd' OR error IS NOT NULL"),
      ).toEqual([]);
      expect((await world.leader()).pid).toBe(pid);
    });

    it("is no hindrance to an app's own names, nor to an extension's", async () => {
      await world.ok(
        "postgres",
        "config",
        "update",
        "-a",
        "pg",
        "app.tenant=none",
        "session_preload_libraries=auto_explain",
      );
      const { id } = await world.leader();
      expect(await world.sql(id, "SELECT current_setting('app.tenant', true) AS tenant")).toEqual([{ tenant: "none" }]);
    });
  },
);
