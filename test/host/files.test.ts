import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shortenLog } from "../../src/host/files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("a log that is kept short", () => {
  it("is begun anew under whoever writes it, and what it said is beside it", async () => {
    const path = join(temporaryDirectory(), "a.log");
    const writer = openSync(path, "a");
    try {
      writeSync(writer, "the first line\n");
      await shortenLog(path, 15);
      expect(readFileSync(path, "utf8")).toBe("the first line\n");
      writeSync(writer, "the second line\n");
      await shortenLog(path, 15);
      writeSync(writer, "the third line\n");
      expect(readFileSync(path, "utf8")).toBe("the third line\n");
      expect(readFileSync(`${path}.old`, "utf8")).toBe("the first line\nthe second line\n");
    } finally {
      closeSync(writer);
    }
  });

  it("is begun anew though nothing can be put beside it, and may be missing", async () => {
    const path = join(temporaryDirectory(), "a.log");
    await shortenLog(path, 1);
    writeFileSync(path, "a line\n");
    mkdirSync(`${path}.old`);
    await shortenLog(path, 1);
    appendFileSync(path, "b\n");
    expect(readFileSync(path, "utf8")).toBe("b\n");
  });
});
