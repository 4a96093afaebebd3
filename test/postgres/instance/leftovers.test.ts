import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { leftovers, removeLeftovers } from "../../../src/postgres/instance/leftovers.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const make = (root: string, paths: readonly string[]) => {
  for (const path of paths) {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, "file"), "");
  }
};

it("takes away what was half made and half removed, and nothing else", async () => {
  const postgres = temporaryDirectory();
  const half = [
    "a1.gone-0123abcd/data/base",
    "b2/data.new-0123abcd/base",
    "b2/trial-12-1",
    "b2/inherited-00000002.history",
    "tools/postgresql-18.4.new-0123abcd/bin",
  ];
  const whole = ["b2/data/base", "b2/log", "b2/data.newer", "tools/postgresql-18.4/bin"];
  make(postgres, [...half, ...whole]);
  await removeLeftovers(await leftovers({ postgres }));
  expect(readdirSync(postgres).toSorted((a, b) => a.localeCompare(b))).toEqual(["b2", "tools"]);
  expect(readdirSync(join(postgres, "b2")).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "data",
    "data.newer",
    "log",
  ]);
  expect(readdirSync(join(postgres, "tools"))).toEqual(["postgresql-18.4"]);
});

it("finds nothing where no member was ever made", async () => {
  expect(await leftovers({ postgres: join(temporaryDirectory(), "postgres") })).toEqual([]);
});
