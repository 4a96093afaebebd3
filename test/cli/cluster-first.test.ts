import { describe, expect, it } from "vitest";
import { clusterFirst } from "../../src/cli/cluster-first.ts";
import { loadCommand } from "../../src/cli/commands.ts";

const rewritten = async (name: string, line: string) => clusterFirst(await loadCommand(name), line === "" ? [] : line.split(" ")).join(" ");

describe("a cluster named as the first word", () => {
  it.each([
    ["postgres connect", "pg", "-a pg"],
    ["postgres connect", "pg -- -At -f report.sql", "-a pg -- -At -f report.sql"],
    ["postgres connect", "-u web pg --region lhr", "-a pg -u web --region lhr"],
    ["postgres connect", "--user=web pg", "-a pg --user=web"],
    ["postgres sync", "pg on", "-a pg on"],
    ["postgres users list", "pg", "-a pg"],
    ["postgres db create", "pg shop", "-a pg shop"],
    ["postgres db create", "--network blue pg shop", "-a pg --network blue shop"],
    ["logs", "pg -f", "-a pg -f"],
  ])("perch %s %s", async (name, line, expected) => {
    expect(await rewritten(name, line)).toBe(expected);
  });

  it.each([
    ["postgres connect", ""],
    ["postgres connect", "-a pg"],
    ["postgres connect", "--app=pg other"],
    ["postgres connect", "-- pg"],
    ["postgres connect", "-u web"],
    ["postgres connect", "one two"],
    ["postgres db create", "shop"],
    ["postgres destroy", "pg"],
    ["apps create", "web"],
  ])("perch %s %s stays as it is", async (name, line) => {
    expect(await rewritten(name, line)).toBe(line);
  });
});
