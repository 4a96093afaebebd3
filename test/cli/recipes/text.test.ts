import { describe, expect, it } from "vitest";
import { examplesOwn, type Own, withOwn } from "../../../src/cli/recipes/own.ts";
import { readRecipe } from "../../../src/cli/recipes/read.ts";
import { clients } from "../../../src/cli/recipes/recipe.ts";
import { recipeText } from "../../../src/cli/recipes/text.ts";

const inside = { way: "inside" } as const;
const own: Own = {
  app: "shop",
  cluster: "main",
  variable: "MAIN_URL",
  url: "postgres://shop:***@main.internal:5432/shop",
  state: "attached",
  primaryRegion: "fra",
  regions: ["fra", "lhr"],
};

describe("a recipe as text", () => {
  it("holds the example's own files, whole, for every client", async () => {
    for (const client of clients) {
      const written = await readRecipe(client);
      const text = recipeText(written, examplesOwn, inside);
      expect(written.files.length, client).toBeGreaterThan(0);
      for (const file of written.files) expect(text, `${client}/${file.path}`).toContain(`\`${file.path}\`\n\n\`\`\``);
      for (const file of written.files)
        expect(text, `${client}/${file.path}`).toContain(`\n${file.text.trimEnd()}\n\`\`\``);
      expect(written.run.length, client).toBeGreaterThan(2);
    }
  });

  it("knows nothing of the examples' names once it has the app's own, for any client", async () => {
    for (const client of clients) {
      const text = recipeText(await readRecipe(client), own, inside);
      expect(text, client).toContain("MAIN_URL");
      expect(text, client).not.toMatch(
        /DATABASE_URL|-a web\b|--app web\b|\bpg\.internal|web\.internal|-a pg\b|app = "web"/,
      );
      expect(text, client).not.toMatch(/^perch (apps create|postgres attach)/m);
    }
  });

  it("names the variable to clients that look for DATABASE_URL by themselves", async () => {
    expect(recipeText(await readRecipe("django"), own, inside)).toContain('"default": env.db("MAIN_URL"),');
    expect(recipeText(await readRecipe("rails"), own, inside)).toContain('\n  url: <%= ENV["MAIN_URL"] %>\n');
    expect(recipeText(await readRecipe("django"), examplesOwn, inside)).toContain('"default": env.db(),');
    expect(recipeText(await readRecipe("rails"), examplesOwn, inside)).not.toContain("<%=");
  });

  it("asks for what is not done yet, and for nothing that is", async () => {
    const node = await readRecipe("node");
    const steps = (state: Own["state"]) =>
      withOwn(node, { ...own, state }, inside).run.map((line) => line.replace(/ +#.*/, ""));
    const run = "perch run -a shop -- npm start";
    const attach = "perch postgres attach main --app shop --variable-name MAIN_URL";
    expect(steps("nothing")).toEqual(["perch apps create shop", attach, run]);
    expect(steps("app")).toEqual([attach, run]);
    expect(withOwn(node, { ...own, state: "app" }, inside).run[0]).toBe(attach);
    expect(steps("attached")).toEqual([run]);
  });

  it("runs the program itself over a tunnel, and says how to get one", async () => {
    const text = recipeText(await readRecipe("python"), own, { way: "tunnel" });
    expect(text).toContain(
      "\nexport MAIN_URL='postgres://shop:***@main.internal:5432/shop'\n.venv/bin/python main.py\n",
    );
    expect(text).toContain("`postgres://shop:***@localhost:PORT/shop`");
    expect(text).toContain("`perch wireguard create laptop laptop.conf`");
  });

  it("takes an external host into the URL, and says who must lead it in", async () => {
    const text = recipeText(await readRecipe("psql"), own, { way: "external", host: "db.example.com:6000" });
    expect(text).toContain("export MAIN_URL='postgres://shop:***@db.example.com:6000/shop'\n");
    expect(text).toContain(
      "`db.example.com:6000` must lead to `main.internal:5432`: Perch publishes no port by itself",
    );
    expect(text).not.toContain("\nperch ");
    const quoted = { ...own, url: "postgres://o'neil:***@main.internal:5432/shop" };
    expect(recipeText(await readRecipe("psql"), quoted, { way: "tunnel" })).toContain(
      "export MAIN_URL='postgres://o%27neil:***@main.internal:5432/shop'\n",
    );
  });

  it("promises no nearest member in portable mode", async () => {
    const text = recipeText(
      await readRecipe("node"),
      { ...own, url: "postgres://shop:***@127.0.0.1:40001/shop" },
      inside,
    );
    expect(text).toContain("`postgres://shop:***@127.0.0.1:40001/shop`");
    expect(text).toContain("portable mode");
    expect(text).not.toContain("| the nearest member");
  });
});
