import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isRoot } from "../../../src/host/system/home.ts";
import { removeTree } from "../../../src/host/files/remove-tree.ts";
import { swapping } from "../../support/swapper.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

it(
  "takes away files, links and directories of any depth and width, and nothing that links lead to",
  { timeout: 60_000 },
  async () => {
    const root = temporaryDirectory();
    const [tree, kept] = [join(root, "tree"), join(root, "kept")];
    mkdirSync(kept);
    writeFileSync(join(kept, "file"), "kept");
    mkdirSync(tree);
    execFileSync("mkdir", ["-p", Array(1_200).fill("d").join("/")], { cwd: tree });
    mkdirSync(join(tree, "wide"));
    for (let file = 0; file < 5_000; file++) writeFileSync(join(tree, "wide", String(file)), "");
    symlinkSync(kept, join(tree, "link"));
    symlinkSync(kept, join(tree, "wide", "link"));
    await removeTree(tree);
    expect(readdirSync(root)).toEqual(["kept"]);
    expect(readFileSync(join(kept, "file"), "utf8")).toBe("kept");
    for (const path of [tree, join(tree, "none")]) await removeTree(path);
    symlinkSync(kept, join(root, "link"));
    await removeTree(join(root, "link"));
    await removeTree(join(kept, "file"));
    expect(readdirSync(root)).toEqual(["kept"]);
  },
);

it.skipIf(!isRoot())(
  "removes nothing elsewhere while the tree's owner swaps its directories for links, and nothing of ours that it moved in",
  { timeout: 60_000 },
  async () => {
    const root = temporaryDirectory();
    chmodSync(root, 0o711);
    const kept = join(root, "kept");
    mkdirSync(kept);
    for (let file = 0; file < 50; file++) writeFileSync(join(kept, `file-${file}`), "kept");
    for (let round = 0; round < 10; round++) {
      const tree = join(root, `tree-${round}`);
      mkdirSync(tree);
      for (const name of ["a", "b", "c"]) {
        mkdirSync(join(tree, name));
        // Of the same names: by a path through the link they would go.
        for (let file = 0; file < 50; file++) writeFileSync(join(tree, name, `file-${file}`), "");
      }
      execFileSync("chown", ["-R", "54321:54321", tree]);
      const as = (argv: string[]) => ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", ...argv];
      const attacker = await swapping(as, tree, ["a", "b", "c"], kept);
      await removeTree(tree).catch((error: NodeJS.ErrnoException) => expect(error.code).toBe("ENOTEMPTY"));
      attacker.kill("SIGKILL");
      expect(readdirSync(kept)).toHaveLength(50);
    }
    const tree = join(root, "tree");
    mkdirSync(join(tree, "ours", "inner"), { recursive: true });
    writeFileSync(join(tree, "ours", "inner", "file"), "ours");
    chownSync(tree, 54_321, 54_321);
    await expect(removeTree(tree)).rejects.toMatchObject({ code: "ENOTEMPTY" });
    expect(existsSync(join(tree, "ours", "inner", "file"))).toBe(true);
  },
);
