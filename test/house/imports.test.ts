import { expect, it } from "vitest";
import { importsOf } from "./imports.ts";

it("finds every form of import and tells types from values", () => {
  const text = `
    import type { A } from "./a.ts";
    import { type B, type C } from "./b.ts";
    import {
      type D,
      e,
    } from "./d.ts";
    import * as f from "node:f";
    import g from "g";
    import "./h.ts";
    export { i } from "./i.ts";
    // import { no } from "./comment.ts";
    /* import { no } from "./block.ts"; */
    const url = "https://example.org"; const j = await import("./j.ts");
  `;
  const found = importsOf(text);
  expect(found.filter(({ types }) => types).map(({ from }) => from)).toEqual(["./a.ts", "./b.ts"]);
  expect(found.filter(({ types }) => !types).map(({ from }) => from)).toEqual([
    "./d.ts",
    "node:f",
    "g",
    "./i.ts",
    "./h.ts",
    "./j.ts",
  ]);
});
