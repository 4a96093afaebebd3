import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pages } from "../../scripts/docs.ts";
import { routes } from "../../src/api/routes.ts";
import { commandNames, loadAll } from "../../src/cli/commands.ts";
import { clients } from "../../src/cli/recipes/recipe.ts";
import { register } from "../../src/errors/register.ts";
import { files } from "./files.ts";

describe("the pages that are written from the code", () => {
  it("stand in docs/ as npm run docs writes them", async () => {
    const written = Object.entries(await pages());
    expect(written.map(([path]) => path)).toEqual([
      "docs/commands.md",
      "docs/errors.md",
      "docs/dependencies.md",
      "docs/api.md",
      ...clients.map((client) => `docs/clients/${client}.md`),
    ]);
    for (const [path, text] of written)
      expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"), path).toBe(text);
  });

  it("have a page for every folder of examples/", () => {
    const folders = files(/^examples\/[^/]+\/README\.md$/).map((path) => path.split("/")[1]);
    expect(new Set(folders)).toEqual(new Set(clients));
  });

  it("name every command, every error and every route", async () => {
    const { "docs/commands.md": commands = "", "docs/errors.md": errors = "", "docs/api.md": api = "" } = await pages();
    for (const name of commandNames) expect(commands).toContain(`## perch ${name}\n`);
    for (const code of Object.keys(register)) expect(errors).toContain(`| \`${code}\` |`);
    for (const name of Object.keys(routes)) expect(api).toContain(`\n\`${name}\``);
  });
});

describe("commands and the API", () => {
  it("cover every route: each is used by a command", async () => {
    const used = new Set<string>((await loadAll()).flatMap((command) => command.routes ?? []));
    expect(used.size).toBeGreaterThan(30);
    expect(Object.keys(routes).filter((name) => !used.has(name))).toEqual([]);
  });
});
