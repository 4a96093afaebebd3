import { describe, expect, it } from "vitest";
import { barredOwners, idMapsWithout, mapWithout, wallsArgv } from "../../../src/host/process/walls.ts";

const account = { name: "web", uid: 1001, gid: 1001, groups: [1001, 27], home: "/", shell: "" };
const option = (argv: readonly string[], name: string) => argv.find((word) => word.startsWith(`--${name}=`));

describe("the walls of a command", () => {
  it.each([
    [101, "0 0 101\n102 102 4294967193\n"],
    [1, "0 0 1\n2 2 4294967293\n"],
    [4_294_967_294, "0 0 4294967294\n"],
  ])("give every user its number but %i, which has none", (id, map) => {
    expect(mapWithout(id)).toBe(map);
  });

  it("give no number to either of two, be they neighbours, one or none", () => {
    expect(mapWithout(101, 995)).toBe("0 0 101\n102 102 893\n996 996 4294966299\n");
    expect(mapWithout(995, 101)).toBe(mapWithout(101, 995));
    expect(mapWithout(101, 102)).toBe("0 0 101\n103 103 4294967192\n");
    expect(mapWithout(101, 101)).toBe(mapWithout(101));
    expect(idMapsWithout(barredOwners({ uid: 995, gid: 993, former: { uid: 101, gid: 104 } }))).toEqual({
      uids: mapWithout(101, 995),
      gids: mapWithout(104, 993),
    });
  });

  it("leave out PostgreSQL's user and its group, which are two numbers", () => {
    expect(idMapsWithout([{ uid: 101, gid: 104 }])).toEqual({ uids: mapWithout(101), gids: mapWithout(104) });
  });

  it("keep any program from gaining rights, in every mode", () => {
    for (const root of [true, false])
      for (const ownNamespace of [true, false])
        expect(wallsArgv({ root, ownNamespace, account: undefined })).toContain("--no-new-privs");
  });

  it("keep no capability that leads round them, and that over the network's packets only where it has no power", () => {
    for (const ownNamespace of [true, false]) {
      const kept = option(wallsArgv({ root: true, ownNamespace, account: undefined }), "bounding-set") ?? "";
      expect(kept).toMatch(/^--bounding-set=-all,/);
      expect(kept).not.toMatch(
        /sys_admin|net_admin|sys_ptrace|sys_module|mknod|setfcap|setpcap|dac_read_search|sys_rawio|bpf/,
      );
      expect(kept.includes("net_raw")).toBe(ownNamespace);
    }
  });

  it("let root become another user, with its groups", () => {
    const argv = wallsArgv({ root: true, ownNamespace: true, account });
    expect([option(argv, "reuid"), option(argv, "regid"), option(argv, "groups")]).toEqual([
      "--reuid=1001",
      "--regid=1001",
      "--groups=1001,27",
    ]);
    expect(wallsArgv({ root: true, ownNamespace: true, account: { ...account, groups: [] } })).toContain(
      "--clear-groups",
    );
  });
});
