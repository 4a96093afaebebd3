import { expect, it } from "vitest";
import { loadAll } from "../../src/cli/commands.ts";
import { parse } from "../../src/cli/parse.ts";
import { parseNothing } from "../../src/cli/parse-nothing.ts";

it("gives for every command without a word what the parser gives, and leaves to it those that need one", async () => {
  const all = await loadAll();
  const alone = all.filter((command) => parseNothing(command) !== undefined);
  expect(alone.map(({ name }) => name)).toEqual(expect.arrayContaining(["version", "status", "run"]));
  for (const command of alone)
    expect([command.name, parseNothing(command)]).toEqual([command.name, parse(command, [])]);
  for (const command of all.filter((one) => !alone.includes(one)))
    expect(() => parse(command, []), command.name).toThrow("missing required argument");
});
