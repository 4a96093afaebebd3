import { describe, expect, it } from "vitest";
import { isDebian, packagesOf, toolsMissing } from "../../src/cli/tools.ts";

describe("system tools", () => {
  it("are named by the packages that hold them, each once", () => {
    expect(packagesOf(["ip", "nsenter", "unshare"])).toEqual(["iproute2", "util-linux"]);
    expect(toolsMissing(["ip", "nft"])).toMatchObject({
      code: "tools_missing",
      message: "ip, nft cannot be found",
      next: expect.stringContaining("iproute2 nftables") as string,
    });
  });

  it.each<[string, string, boolean]>([
    ["Debian", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', true],
    ["Ubuntu", "NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n", true],
    ["Mint", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
    ["Fedora", "ID=fedora\n", false],
    ["Alpine", 'ID=alpine\nHOME_URL="https://example.org/?from=debian"\n', false],
    ["nothing", "", false],
  ])("of %s: installed by us or not", (_, osRelease, ours) => {
    expect(isDebian(osRelease)).toBe(ours);
  });
});
