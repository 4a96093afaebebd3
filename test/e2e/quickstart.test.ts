import { expect, describe, it } from "vitest";
import { type Account, canRead, ordinaryUser } from "../support/account.ts";
import { perchIn, repository, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

const root = process.getuid?.() === 0;
const ordinary = ordinaryUser();
const seconds = /\([\d.]+ s\)/.source;
const version = String.raw`PostgreSQL \d+`;

/** Every way to type it; the rest is the same for all. */
const ways: [who: string, account: Account | undefined, flags: string[]][] = [
  ...(root ? ([["root", undefined, []]] as [string, undefined, string[]][]) : []),
  ["an ordinary user", root ? ordinary : undefined, []],
  ["an ordinary user with --portable", root ? ordinary : undefined, ["--portable"]],
  ...(root ? ([["root with --portable", undefined, ["--portable"]]] as [string, undefined, string[]][]) : []),
];

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter")).each(ways)(
  "quickstart as %s",
  (_who, account, flags) => {
    const perch = perchIn(tempHome(account), account === undefined ? {} : { as: account, cwd: "/" });
    const portable = flags.includes("--portable");
    const quickstart = async () => succeeded(await perch(["quickstart", "--no-install", ...flags])).split("\n");
    /** The lines of the app, the same each time. */
    const queries = portable
      ? ["ams", "lhr"].map(
          (region) =>
            `  in ${region}: 127\\.0\\.0\\.1:\\d+ is \\S+, a leader \\(PostgreSQL [\\d.]+\\), \\d+\\.\\d\\d ms a query`,
        )
      : [
          `  in ams: pg\\.internal:5432 is fdaa:\\S+:1::\\S+, a leader \\(PostgreSQL [\\d.]+\\), \\d+\\.\\d\\d ms a query`,
          `  in lhr: pg\\.internal:5433 is fdaa:\\S+:c::\\S+, a replica \\(PostgreSQL [\\d.]+\\), \\d+\\.\\d\\d ms a query`,
        ];
    const like = (patterns: readonly string[]): unknown[] =>
      patterns.map((pattern) => expect.stringMatching(new RegExp(`^${pattern}$`)));

    it("makes everything, shows the app at work in both regions, and says how to go on and how to stop", async () => {
      if (account !== undefined && !canRead(account, repository))
        throw new Error(`${account.name} cannot read ${repository}; clone it where every user can`);
      const lines = await quickstart();
      const wanted = like([
        `✓ Perch is up \\(perchd \\d+, network default, .+\\) ${seconds}`,
        `✓ cluster pg created: ${version}, its leader in ams ${seconds}`,
        `✓ read replica [0-9a-f]{14} streams in lhr ${seconds}`,
        `✓ app hello created ${seconds}`,
        `✓ hello attached to pg: database hello, user hello, secret DATABASE_URL ${seconds}`,
        `The app, run in both regions with the same DATABASE_URL.*:`,
        ...queries,
        `Done in [\\d.]+ s\\.`,
      ]);
      expect(lines.slice(0, wanted.length)).toEqual(wanted);
      expect(lines).toContain("Go on:");
      expect(lines.slice(-4)).toEqual([
        "",
        "Stop (the data stays, and perch up brings everything back):",
        "  perch down",
        "",
      ]);
    });

    it("may be repeated, and then makes nothing", async () => {
      const wanted = like([
        `✓ Perch is already running \\(perchd \\d+, network default, .+\\) ${seconds}`,
        `✓ cluster pg is there already, ${version} ${seconds}`,
        `✓ machine [0-9a-f]{14} in lhr is there already, a replica ${seconds}`,
        `✓ app hello is there already ${seconds}`,
        `✓ hello is attached to pg already ${seconds}`,
        `The app, run in both regions with the same DATABASE_URL.*:`,
        ...queries,
      ]);
      expect((await quickstart()).slice(0, wanted.length)).toEqual(wanted);
    });

    it("is stopped by down, and taken up again by the next", async () => {
      expect(succeeded(await perch(["down"]))).toContain("Perch is down; the data stays in");
      const wanted = like([`✓ Perch is up .+`, `✓ cluster pg is there already.+`, `✓ machine .+ is there already.+`]);
      expect((await quickstart()).slice(0, wanted.length)).toEqual(wanted);
      succeeded(await perch(["down"]));
    });
  },
);
