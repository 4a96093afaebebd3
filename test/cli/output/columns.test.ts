import { describe, expect, it } from "vitest";
import { columns, moment, table } from "../../../src/cli/output/columns.ts";

describe("columns", () => {
  it("align all cells but the last, and leave nothing at the ends of lines", () => {
    expect(
      columns([
        ["a", "bb", ""],
        ["ccc", "d", "e"],
      ]),
    ).toBe("a    bb\nccc  d   e");
    expect(
      columns(
        [
          ["é", "x"],
          ["ab", "y"],
        ],
        { indent: 2 },
      ),
    ).toBe("  é   x\n  ab  y");
  });

  it("become a table with a head, or a sentence when there is nothing", () => {
    expect(table(["Name", "Kind"], [["web", "app"]], "none")).toBe("NAME  KIND\nweb   app");
    expect(table(["Name"], [], "No apps yet", { indent: 2 })).toBe("  No apps yet");
  });
});

describe("values for people", () => {
  it("show times to the second", () => {
    expect(moment("2026-11-24T06:30:00.123Z")).toBe("2026-11-24 06:30:00");
    expect(moment("2026-11-24T06:30:00Z")).toBe("2026-11-24 06:30:00");
  });
});
