import { describe, expect, it } from "vitest";
import { chooseWay } from "../../src/network/choose.ts";

const linux = { platform: "linux", root: false, portableWanted: false, missingPrograms: [] };

describe("chooseWay", () => {
  it.each([
    ["an ordinary user gets a user namespace", linux, { way: "user" }],
    ["root gets ip netns", { ...linux, root: true }, { way: "root" }],
    [
      "a missing tool is named, not worked around",
      { ...linux, missingPrograms: ["nft"] },
      { way: "install", programs: ["nft"] },
    ],
    [
      "--portable needs no tools",
      { ...linux, portableWanted: true, missingPrograms: ["nft"] },
      { way: "portable", why: "it was asked for" },
    ],
    [
      "macOS is portable",
      { ...linux, platform: "darwin" },
      { way: "portable", why: "darwin has no network namespaces" },
    ],
  ])("%s", (_title, facts, choice) => {
    expect(chooseWay(facts)).toEqual(choice);
  });
});
