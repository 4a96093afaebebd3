import { describe, expect, it } from "vitest";
import { question } from "../../../src/cli/commands/dig.ts";

describe("the question of perch dig", () => {
  it.each<[string, string | undefined, { name: string; type: string }]>([
    ["pg.internal", undefined, { name: "pg.internal", type: "AAAA" }],
    ["vms.pg.internal", "txt", { name: "vms.pg.internal", type: "TXT" }],
    ["TXT", "vms.pg.internal", { name: "vms.pg.internal", type: "TXT" }],
    ["txt", undefined, { name: "txt", type: "AAAA" }],
  ])("%s %s", (first, second, asked) => {
    expect(question(first, second)).toEqual(asked);
  });

  it("of an unknown type is refused", () => {
    expect(() => question("pg.internal", "MX")).toThrow(expect.objectContaining({ code: "usage_invalid" }) as Error);
  });
});
