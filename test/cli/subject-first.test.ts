import { describe, expect, it } from "vitest";
import { loadCommand } from "../../src/cli/commands.ts";
import { subjectFirst } from "../../src/cli/subject-first.ts";

const rewritten = async (name: string, line: string) =>
  subjectFirst(await loadCommand(name), line === "" ? [] : line.split(" ")).join(" ");

describe("a cluster or an app named as a word", () => {
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
    ["status", "pg", "-a pg"],
    ["secrets list", "web --json", "-a web --json"],
    ["secrets list", "-c other.toml web", "-a web -c other.toml"],
    ["machine list", "pg", "-a pg"],
    ["events", "-n 5 web", "-a web -n 5"],
    ["doctor", "web --region lhr", "-a web --region lhr"],
    ["shell", "web -C ls", "-a web -C ls"],
    ["postgres attach", "pg web", "-a web pg"],
    ["postgres attach", "pg --superuser web", "-a web pg --superuser"],
    ["postgres detach", "pg web --drop-database", "-a web pg --drop-database"],
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
    ["postgres attach", "pg"],
    ["postgres attach", "pg -a web other"],
    ["secrets set", "web A=1"],
    ["secrets unset", "web A"],
    ["machine clone", "pg lhr"],
    ["run", "web true"],
    ["proxy", "5432 pg"],
  ])("perch %s %s stays as it is", async (name, line) => {
    expect(await rewritten(name, line)).toBe(line);
  });
});
