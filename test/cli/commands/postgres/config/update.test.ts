import { describe, expect, it } from "vitest";
import { settingPairs } from "../../../../../src/cli/commands/postgres/config/update.ts";

describe("settings as NAME=VALUE", () => {
  it("are cut at the first =, spaces around them taken off", () => {
    expect(settingPairs(["work_mem=16MB", "search_path = a=b ", "log_statement="])).toEqual({
      work_mem: "16MB",
      search_path: "a=b",
      log_statement: "",
    });
  });

  it.each(["work_mem", "=1"])("%s is refused", (pair) => {
    expect(() => settingPairs([pair])).toThrow(expect.objectContaining({ code: "usage_invalid" }) as Error);
  });
});
