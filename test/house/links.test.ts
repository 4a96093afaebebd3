import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, read, root } from "./files.ts";

const pages = files(/\.md$/);

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading = ""]) => anchor(heading));

describe("the pages", () => {
  it("link to what exists", () => {
    expect(pages.length, "pages seen").toBeGreaterThan(5);
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].flatMap(([, link, attribute]) => {
        const target = link ?? attribute ?? "";
        if (/^[a-z]+:/.test(target)) return [];
        const [path = "", fragment] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        const found =
          existsSync(join(root, file)) &&
          (fragment === undefined || !file.endsWith(".md") || anchorsOf(file).includes(fragment));
        return found ? [] : [`${page} → ${target}`];
      }),
    );
    expect(dead, `in ${pages.length} pages`).toEqual([]);
  });

  it("and the code name no place of the machine they were written on", () => {
    // A checkout may lie in the temporary directory, whose name is no machine's own.
    const own = [root, `${dirname(root.replace(/\/$/, ""))}/`, `${homedir()}/`].filter(
      (path) => path.length > 2 && path !== `${tmpdir()}/`,
    );
    const texts = files(/\.(md|ts|tsx|mjs|js|json|jsonc|txt|sh|sql|toml|ya?ml|svg)$|^\.ci\/|^perch$/);
    expect(texts.length, "files seen").toBeGreaterThan(50);
    expect(
      texts.flatMap((path) => own.filter((place) => read(path).includes(place)).map((place) => `${path}: ${place}`)),
    ).toEqual([]);
  });
});
