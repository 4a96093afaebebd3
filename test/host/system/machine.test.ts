import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { allFiles, diskRoom, hugePages, memoryRoom, ownFiles } from "../../../src/host/system/machine.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** /proc and /sys/fs/cgroup as a kernel writes them, with these files. */
function machineWith(files: Record<string, string>): { proc: string; groups: string } {
  const root = temporaryDirectory();
  const all = { "proc/meminfo": "MemTotal:       8000 kB\nMemFree:  10 kB\nMemAvailable:   6000 kB\n", ...files };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return { proc: join(root, "proc"), groups: join(root, "groups") };
}

const kilo = 1024;

describe("huge pages", () => {
  it("are counted by their size, and none where the system tells nothing", async () => {
    const { proc, groups: sizes } = machineWith({
      "proc/meminfo": "HugePages_Total:      12\nHugePages_Free:        3\n",
      "groups/hugepages-1048576kB/nr_hugepages": "2\n",
    });
    expect(await hugePages(0, { proc, sizes })).toBe(12);
    expect(await hugePages(1_048_576, { proc, sizes })).toBe(2);
    expect(await hugePages(64, { proc, sizes })).toBe(0);
  });
});

describe("the memory there is", () => {
  it("is the machine's where no control group has a limit", async () => {
    const at = machineWith({
      "proc/self/cgroup": "0::/user.slice/a\n",
      "groups/user.slice/a/memory.max": "max\n",
      "groups/user.slice/a/memory.current": "5\n",
    });
    expect(await memoryRoom(at)).toEqual({ bytes: 8000 * kilo, availableBytes: 6000 * kilo, of: "this host" });
  });

  it("is that of a group above the own one, without the pages of files that can go", async () => {
    const at = machineWith({
      "proc/self/cgroup": "0::/user.slice/a\n",
      "groups/user.slice/memory.max": `${1000 * kilo}\n`,
      "groups/user.slice/memory.current": `${900 * kilo}\n`,
      "groups/user.slice/memory.stat": `anon 7\ninactive_file ${300 * kilo}\n`,
    });
    expect(await memoryRoom(at)).toEqual({ bytes: 1000 * kilo, availableBytes: 400 * kilo, of: "its control group" });
  });

  it("is that of a group of version 1, whose limit may be beyond all memory", async () => {
    const group = (limit: string) =>
      machineWith({
        "proc/self/cgroup": "7:cpu:/\n5:memory:/c\n",
        "groups/memory/c/memory.limit_in_bytes": limit,
        "groups/memory/c/memory.usage_in_bytes": `${900 * kilo}\n`,
        "groups/memory/c/memory.stat": "inactive_file 1\ntotal_inactive_file 0\n",
      });
    expect(await memoryRoom(group(`${1000 * kilo}\n`))).toEqual({
      bytes: 1000 * kilo,
      availableBytes: 100 * kilo,
      of: "its control group",
    });
    expect(await memoryRoom(group("9223372036854771712\n"))).toMatchObject({ of: "this host" });
  });

  it("is unknown where the system does not tell", async () => {
    expect(await memoryRoom({ proc: "/nowhere", groups: "/nowhere" })).toBeUndefined();
  });
});

describe.skipIf(process.platform !== "linux")("this host", () => {
  it("has memory, files and disks", async () => {
    const [memory, own, all, disk] = await Promise.all([memoryRoom(), ownFiles(), allFiles(), diskRoom("/")]);
    expect(memory?.availableBytes).toBeGreaterThan(0);
    expect(memory?.bytes).toBeGreaterThan(memory?.availableBytes ?? 0);
    for (const files of [own, all]) {
      expect(files?.open).toBeGreaterThan(2);
      expect(files?.max).toBeGreaterThan(files?.open ?? 0);
    }
    expect(disk.bytes).toBeGreaterThan(disk.freeBytes);
  });
});
