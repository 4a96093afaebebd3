import { describe, expect, it } from "vitest";
import { loadAll } from "../../src/cli/commands.ts";

describe("commands that are about no network", () => {
  it("need none: no perchd, and no app or cluster of one", async () => {
    const alone = (await loadAll()).filter((command) => command.alone === true);
    expect(alone.map(({ name }) => name)).toEqual(["completion", "version"]);
    expect(alone.flatMap(({ needs, routes = [] }) => [...needs.filter((need) => need !== "json"), ...routes])).toEqual(
      [],
    );
  });
});
