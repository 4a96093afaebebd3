import { describe, expect, it } from "vitest";
import { readmeParts, readRecipe } from "../../../src/cli/recipes/read.ts";

describe("the README of an example", () => {
  it("is taken apart into title, words, lines to install and lines of perch", () => {
    const readme =
      "# Node\n\n[`a.js`](a.js) is\nall.\n\n    npm ci\n    perch apps create web\n    perch run -a web -- npm start   # go\n\nSee [it](../x).\n";
    expect(readmeParts(readme)).toEqual({
      title: "Node",
      about: "`a.js` is\nall.",
      install: ["npm ci"],
      run: ["perch apps create web", "perch run -a web -- npm start   # go"],
      notes: "See it.",
    });
  });
});

describe("a recipe", () => {
  it("needs no lock file, which nobody writes by hand", async () => {
    expect((await readRecipe("node")).install).toEqual(["npm install"]);
    expect((await readRecipe("go")).install).toEqual([
      "go mod tidy && go build -o hello . && go build -o copy ./direct",
    ]);
    expect((await readRecipe("rust")).install).toEqual(["cargo build"]);
  });

  it("that is not there is refused with the names of those that are", async () => {
    await expect(readRecipe("cobol")).rejects.toMatchObject({
      code: "recipe_unknown",
      message: expect.stringContaining("psql, ruby, rails") as string,
    });
    await expect(readRecipe("toString")).rejects.toMatchObject({ code: "recipe_unknown" });
    await expect(readRecipe("../docs")).rejects.toMatchObject({ code: "recipe_unknown" });
  });
});
