import { chmodSync } from "node:fs";
import { expect, it } from "vitest";
import { isRoot } from "../../../../src/host/system/home.ts";
import { lastWordsAt } from "../../../../src/host/system/machine.ts";
import { diskAt } from "../../../support/disk.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

it.skipIf(!isRoot())("last words are followed by the full disk that they could not be written to", async () => {
  const root = temporaryDirectory();
  chmodSync(root, 0o700);
  const disk = diskAt(root);
  disk.mount("size=1m");
  try {
    expect(await lastWordsAt(root, "")).toBe("it said nothing");
    disk.fill();
    expect(await lastWordsAt(root, "")).toBe(`the disk under ${root} is full`);
    expect(await lastWordsAt(root, "starting")).toBe(`starting; the disk under ${root} is full`);
    const told = 'could not write file "x": No space left on device';
    expect(await lastWordsAt(root, told)).toBe(told);
    disk.empty();
    expect(await lastWordsAt(root, "starting")).toBe("starting");
  } finally {
    await disk.unmount();
  }
});
