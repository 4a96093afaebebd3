import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { perchIn, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("secrets", () => {
  const home = tempHome();
  const perch = perchIn(home);
  const set = (pairs: readonly string[], input?: string) =>
    perch(["secrets", "set", "-a", "web", ...pairs], input === undefined ? {} : { input });
  const list = async () =>
    JSON.parse(succeeded(await perch(["secrets", "list", "-a", "web", "--json"]))) as {
      name: string;
      digest: string;
      updatedAt: string;
    }[];
  const valueOf = async (name: string) =>
    JSON.parse(
      succeeded(
        await perch(["run", "-a", "web", "--", process.execPath, "-p", `JSON.stringify(process.env.${name} ?? null)`]),
      ),
    ) as unknown;

  beforeAll(async () => {
    succeeded(await perch(["up"]));
    succeeded(await perch(["apps", "create", "web"]));
  });

  it("are listed by name, digest and time, and never by value", async () => {
    expect(succeeded(await set(["FIRST=value-one", "SECOND=value-two"]))).toBe(
      "Secrets of web are set: FIRST, SECOND\n",
    );
    const text = succeeded(await perch(["secrets", "list", "-a", "web"]));
    expect(text).toMatch(
      /^NAME +DIGEST +SET AT\nFIRST +[0-9a-f]{16} +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\nSECOND +[0-9a-f]{16} /,
    );
    expect(text).not.toContain("value-one");
    expect(JSON.stringify(await list())).not.toContain("value-one");
  });

  it("have a digest that is the same for the same value, and another for another", async () => {
    const digest = async () => (await list()).find(({ name }) => name === "DIGESTED")?.digest;
    succeeded(await set(["DIGESTED=a"]));
    const first = await digest();
    succeeded(await set(["DIGESTED=b"]));
    expect(await digest()).not.toBe(first);
    succeeded(await set(["DIGESTED=a"]));
    expect(await digest()).toBe(first);
  });

  it.each([
    ["quotes", `it's "quoted"`],
    ["newlines", "-----BEGIN-----\nline\r\n\n  indented\n-----END-----"],
    ["equals", "a=b=c=="],
    ["nothing", ""],
    ["dollars and backslashes", "$HOME \\n `id` %s"],
    ["letters", "ünïcødé 日本 🔑"],
    ["spaces at both ends", "  x  "],
  ])("arrive in the app byte for byte: %s", async (_, value) => {
    succeeded(await set([`BYTES=${value}`]));
    expect(await valueOf("BYTES")).toBe(value);
    succeeded(await set(["BYTES=-"], `${value}\n`));
    expect(await valueOf("BYTES")).toBe(value);
  });

  it("are imported from lines, with comments, quotes and values of many lines", async () => {
    const file = `# comment\nexport ONE=1\n\nTWO="two words"\nTHREE='3'\nFOUR="""\nfirst\n"second"\n"""\nFIVE=a # b\n`;
    expect(succeeded(await perch(["secrets", "import", "-a", "web"], { input: file }))).toBe(
      "Secrets of web are set: ONE, TWO, THREE, FOUR, FIVE\n",
    );
    expect([await valueOf("ONE"), await valueOf("TWO"), await valueOf("FOUR")]).toEqual([
      "1",
      "two words",
      'first\n"second"',
    ]);
    expect(succeeded(await set(["-"], "ONE=uno\n"))).toBe("Secrets of web are set: ONE\n");
    expect(await valueOf("ONE")).toBe("uno");
  });

  it("are unset by name, and one that is not there is no error", async () => {
    succeeded(await set(["GONE=1"]));
    expect(succeeded(await perch(["secrets", "unset", "-a", "web", "GONE", "NEVER"]))).toBe(
      "Secrets of web are removed: GONE\n",
    );
    expect(succeeded(await perch(["secrets", "unset", "-a", "web", "GONE"]))).toBe("web has none of these secrets\n");
    expect(await valueOf("GONE")).toBeNull();
  });

  it("may have 65536 bytes and no more", async () => {
    succeeded(await set(["BIG=-"], "x".repeat(65_536)));
    expect(await valueOf("BIG")).toBe("x".repeat(65_536));
    const ended = await set(["BIG=-"], `${"x".repeat(65_535)}ü`);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("the value of secret BIG has 65537 bytes; 65536 are allowed [secret_too_large]");
    expect((await set(["BIG=-"], "x".repeat(3_000_000))).code).not.toBe(0);
    succeeded(await perch(["secrets", "unset", "-a", "web", "BIG"]));
  });

  it("are refused all together when one is wrong, and no value is repeated", async () => {
    const before = await list();
    for (const [pair, code] of [
      ["hunter2hunter2", "secret_pair_invalid"],
      ["FLY_X=hunter2hunter2", "secret_name_invalid"],
      ["perch_y=hunter2hunter2", "secret_name_invalid"],
      ["=hunter2hunter2", "secret_name_invalid"],
      ["1A=hunter2hunter2", "secret_name_invalid"],
      ["A-B=hunter2hunter2", "secret_name_invalid"],
      ["Ä=hunter2hunter2", "secret_name_invalid"],
    ]) {
      const ended = await set(["GOOD=1", pair ?? ""]);
      expect(ended.code, pair).toBe(2);
      expect(ended.stderr, pair).toContain(`[${code}]\nNext: `);
      expect(ended.stderr, pair).not.toContain("hunter2");
    }
    const imported = await perch(["secrets", "import", "-a", "web"], { input: "GOOD=1\nhunter2hunter2\n" });
    expect(imported.code).toBe(2);
    expect(imported.stderr).toContain("Secrets must be provided as NAME=VALUE pairs (line 2 has no =)");
    expect((await perch(["secrets", "import", "-a", "web"], { input: "" })).code).toBe(2);
    expect(await list()).toEqual(before);
  });

  it("are nowhere in the clear: not in the home, the events, the log or a list of processes", async () => {
    const value = randomBytes(24).toString("hex");
    succeeded(await set(["HIDDEN=-"], value));
    const told = succeeded(
      await perch([
        "run",
        "-a",
        "web",
        "--",
        "sh",
        "-c",
        'echo "$HIDDEN"; for of in /proc/[0-9]*; do tr "\\0" " " < $of/cmdline && echo; done 2>/dev/null',
      ]),
    );
    const [first, ...processes] = told.split("\n");
    expect(first).toBe(value);
    expect(processes.length).toBeGreaterThan(5);
    expect(processes.join("\n")).not.toContain(value);
    expect(succeeded(await perch(["events", "--json"]))).toContain("secrets of web were set: HIDDEN");
    expect(succeeded(await perch(["events", "--json"]))).not.toContain(value);
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map((entry) => entry.name)).toEqual(expect.arrayContaining(["perch.db", "perchd.log", "secret.key"]));
    for (const form of [value, Buffer.from(value).toString("base64").slice(0, -4)])
      for (const entry of files)
        expect(readFileSync(join(entry.parentPath, entry.name)).includes(form), entry.name).toBe(false);
  });

  it("belong to their app alone, and go with it", async () => {
    succeeded(await perch(["apps", "create", "other"]));
    succeeded(await set(["MINE=1"]));
    expect(succeeded(await perch(["run", "-a", "other", "--", "sh", "-c", 'echo "[$MINE]"']))).toBe("[]\n");
    succeeded(await perch(["secrets", "set", "-a", "other", "OLD=1"]));
    succeeded(await perch(["apps", "destroy", "other", "--yes"]));
    succeeded(await perch(["apps", "create", "other"]));
    expect(succeeded(await perch(["secrets", "list", "-a", "other"]))).toContain("has no secrets");
  });
});
