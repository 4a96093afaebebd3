import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

/** Whose names `perch postgres recipe` prints. That its lines run is tested with the examples. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch postgres recipe, asked for an app", () => {
  const world = worldIn();
  const recipe = (...more: string[]) => world.json<{ url: string }>("postgres", "recipe", "node", ...more);

  beforeAll(async () => {
    await world.ok("up");
    await world.ok("apps", "create", "my-web");
  });
  afterAll(() => world.ok("down"));

  it("prints the names of the examples while there is no cluster, and for no app at all", async () => {
    expect((await recipe("-a", "my-web")).url).toBe("postgres://my_web:***@pg.internal:5432/my_web");
    expect((await recipe()).url).toBe("postgres://web:***@pg.internal:5432/web");
  });

  it("prints the names that attach would give, before the app is attached", async () => {
    await world.create("main-db");
    expect((await recipe("-a", "my-web")).url).toBe("postgres://my_web:***@main-db.internal:5432/my_web");
  });

  it("prints the app's own names once it is attached", async () => {
    await world.ok(
      "postgres",
      "attach",
      "main-db",
      "--app",
      "my-web",
      "--database-user",
      "hers",
      "--variable-name",
      "MAIN_URL",
    );
    expect((await recipe("-a", "my-web")).url).toMatch(/^postgres:\/\/hers:\*\*\*@main-db\.internal:5432\//);
    expect(await world.ok("postgres", "recipe", "node", "-a", "my-web")).toContain("MAIN_URL");
  });

  it("asks which is meant where the app has two, and takes the one that is named", async () => {
    await world.ok(
      "postgres",
      "attach",
      "main-db",
      "--app",
      "my-web",
      "--database-user",
      "his",
      "--variable-name",
      "OTHER_URL",
      "--database-name",
      "other",
    );
    expect(await world.error("postgres", "recipe", "node", "-a", "my-web")).toMatchObject({
      code: "attachment_ambiguous",
    });
    expect((await recipe("-a", "my-web", "--variable-name", "OTHER_URL")).url).toBe(
      "postgres://his:***@main-db.internal:5432/other",
    );
  });

  it("says when there is no such app, client or choice", async () => {
    expect(await world.error("postgres", "recipe", "node", "-a", "nobody")).toMatchObject({ code: "app_not_found" });
    expect(await world.error("postgres", "recipe", "cobol", "-a", "my-web")).toMatchObject({ exit: 2 });
  });
});
