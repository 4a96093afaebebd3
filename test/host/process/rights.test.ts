import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { leftOver, rightsIn } from "../../../src/host/process/rights.ts";

const status = (changes: Record<string, string> = {}) =>
  Object.entries({
    Uid: "65534 65534 65534 65534",
    Gid: "65534 65534 65534 65534",
    Groups: "",
    CapPrm: "0000000000000000",
    ...changes,
  })
    .map(([name, words]) => `${name}:\t${words}\n`)
    .join("");
const left = (changes: Record<string, string>) => leftOver(rightsIn(status(changes), "0 0 4294967295\n"));

describe("rights that are given up", () => {
  it("are gone when every user, group and capability is", () => {
    expect(left({})).toBeUndefined();
    expect(left({ Groups: "65534" })).toBeUndefined();
  });

  it.each([
    [{ Uid: "65534 65534 0 65534" }, "its users are 65534, 65534, 0, 65534"],
    [{ Gid: "0 65534 65534 65534" }, "its groups are 0, 65534, 65534, 65534"],
    [{ Groups: "6 65534" }, "it is in the groups 6, 65534"],
    [{ CapPrm: "0000000000001000" }, "it has the capabilities 1000"],
  ])("are not gone with %j", (changes, sentence) => {
    expect(left(changes)).toBe(sentence);
  });

  it("of the machine are told from those of an ordinary user's namespace", () => {
    expect(rightsIn(status(), "         0          0 4294967295\n").machine).toBe(true);
    expect(rightsIn(status(), "         0       1000          1\n").machine).toBe(false);
    expect(rightsIn(status(), "").machine).toBe(true);
    expect(() => rightsIn("Name:\tnode\n", "")).toThrow("does not say");
  });

  const source = fileURLToPath(new URL("../../../src/host/process/rights.ts", import.meta.url));
  const program = `import { giveUpRights } from ${JSON.stringify(source)}; import { readFileSync } from "node:fs";
giveUpRights(); process.stdout.write(readFileSync("/proc/self/status", "utf8"));`;
  const ended = (...before: string[]) => {
    const argv = [...before, process.execPath, "--import", "tsx", "--input-type=module", "-e", program];
    return spawnSync("env", argv, { encoding: "utf8" });
  };

  it.skipIf(process.getuid?.() !== 0)("are gone from a process of root, and one that cannot give them up ends", () => {
    const free = ended();
    expect(free.stdout).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(free.stdout).toMatch(/^CapPrm:\t0+$/m);
    for (const without of ["setuid", "setgid"]) {
      const kept = ended("setpriv", `--bounding-set=-${without}`, "--inh-caps=-all", "--");
      expect(kept.status, without).not.toBe(0);
      expect(kept.stdout, without).toBe("");
    }
  });
});
