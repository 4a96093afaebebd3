import { describe, expect, it } from "vitest";
import { commandNames, loadCommand } from "../../src/cli/commands.ts";
import { find } from "../../src/cli/find.ts";
import { leadingGlobals } from "../../src/cli/leading-globals.ts";
import { parse } from "../../src/cli/parse.ts";
import { files, read } from "./files.ts";

/** What the pages tell a reader to type, held against the commands there are. */
const pages = files(/^[^/]+\.md$|^docs\/.*\.md$|^examples\/.*\.md$/).filter(
  (page) => page !== "docs/commands.md" && page !== "CHANGELOG.md",
);

/** The words of a line as a shell makes them: quotes and a comment at the end are all that our pages use. */
function words(line: string): string[] {
  const bare = line.replace(/\s+#\s.*$/, "");
  return [...bare.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}

/** Lines that begin with `perch`, in fences and in indented blocks. */
const typed = pages.flatMap((page) =>
  [...read(page).matchAll(/^(?: {4})?(?:\.\/)?perch (.+)$/gm)].map(([, rest = ""]) => ({ page, line: rest })),
);
/** `perch …` in the text. */
const named = pages.flatMap((page) =>
  [...read(page).matchAll(/`(?:\.\/)?perch ((?:--\w+ \S+ )?[a-z][^`]*)`/g)].map(([, rest = ""]) => ({
    page,
    line: rest.replace(/\s+/g, " "),
  })),
);

describe("the commands that the pages tell to type", () => {
  it("are there, with these arguments and flags", async () => {
    expect(typed.length, "lines seen").toBeGreaterThan(15);
    const wrong: string[] = [];
    for (const { page, line } of typed) {
      const found = find(leadingGlobals(words(line)).rest, commandNames);
      if (found.kind !== "command") wrong.push(`${page}: perch ${line}: no such command`);
      else {
        try {
          parse(await loadCommand(found.name), found.rest);
        } catch (error) {
          wrong.push(`${page}: perch ${line}: ${String(error)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("and those only named in a sentence are there, too", () => {
    expect(named.length, "commands seen").toBeGreaterThan(5);
    expect(
      named
        .filter(({ line }) => find(leadingGlobals(words(line)).rest, commandNames).kind === "unknown")
        .map(({ page, line }) => `${page}: perch ${line}`),
    ).toEqual([]);
  });
});
