import { describe, expect, it } from "vitest";
import { packagesOf, toolsMissing } from "../../src/cli/tools.ts";

describe("system tools", () => {
  it("are named by the packages that hold them, each once", async () => {
    expect(packagesOf(["ip", "nsenter", "unshare"])).toEqual(["iproute2", "util-linux"]);
    expect(await toolsMissing(["ip", "nft"])).toMatchObject({
      code: "tools_missing",
      message: "ip, nft cannot be found",
      next: expect.stringContaining("iproute2 nftables") as string,
    });
  });
});
