import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { runToEnd } from "./perch.ts";
import { eventually } from "./world.ts";

/** A disk of a test's own at a directory, made in memory, that can be filled and emptied. Mounting takes root. */
export function diskAt(root: string) {
  const ballast = join(root, "ballast");
  return {
    mount: (options: string) => execFileSync("mount", ["-t", "tmpfs", "-o", `mode=700,${options}`, "perch-test", root]),
    /** To the last byte. */
    fill(): void {
      const file = openSync(ballast, "a");
      for (const size of [1 << 20, 1 << 12, 1]) writeUntilFull(file, Buffer.alloc(size));
      closeSync(file);
    },
    empty: () => rmSync(ballast, { force: true }),
    /** perchd says that all is down a moment before it ends itself. */
    unmount: () =>
      eventually("nobody uses the disk any more", async () => (await runToEnd(["umount", root])).code === 0),
  };
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
