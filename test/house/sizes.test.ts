import { expect, it } from "vitest";
import { files, read } from "./files.ts";

const think = 250;
const refuse = 400;

it("no source file is so long that deciding and doing have mixed", () => {
  const sizes = files(/^(src|test|scripts|bench)\/.*\.(ts|tsx|mjs)$/).map((path) => ({
    path,
    lines: read(path).split("\n").length - 1,
  }));
  expect(sizes.length, "files seen").toBeGreaterThan(30);
  const long = sizes.filter(({ lines }) => lines > think);
  if (long.length > 0)
    process.stderr.write(
      `above ${think} lines, think: ${long.map(({ path, lines }) => `${path} (${lines})`).join(", ")}\n`,
    );
  expect(
    long.filter(({ lines }) => lines > refuse),
    `files of more than ${refuse} lines, of ${sizes.length} seen`,
  ).toEqual([]);
});
