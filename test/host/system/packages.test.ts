import { describe, expect, it } from "vitest";
import { aptLine, hasApt, isDebian } from "../../../src/host/system/packages.ts";

describe("packages of the system", () => {
  it("are named with the line to type where apt has them", async () => {
    const line = await aptLine(["iproute2", "nftables"]);
    expect(line).toMatch(
      (await hasApt())
        ? /^Type: (sudo )?apt-get install -y --no-install-recommends iproute2 nftables$/
        : /^Install iproute2 nftables, or/,
    );
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
