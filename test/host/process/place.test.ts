import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRoot } from "../../../src/host/system/home.ts";
import { asOwnerOf, type Place, serverUids } from "../../../src/host/process/place.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const owner = { uid: 54_322, gid: 54_322 };
const former = { owner: { uid: 54_321, gid: 54_321 }, server: (argv: readonly string[]) => ["former", ...argv] };
const place: Place = {
  mode: "root",
  owner,
  tool: (argv) => [...argv],
  server: (argv) => ["now", ...argv],
  seen: (path) => path,
};

describe("the place of a member", () => {
  it.skipIf(!isRoot())("is the former user's while its data is, and today's for all else", () => {
    const both: Place = { ...place, former };
    const data = join(temporaryDirectory(), "data");
    expect(asOwnerOf(both, data)).toBe(both);
    mkdirSync(data);
    expect(asOwnerOf(both, data).server(["x"])).toEqual(["now", "x"]);
    chownSync(data, former.owner.uid, former.owner.gid);
    const its = asOwnerOf(both, data);
    expect([its.owner, its.successor, its.server(["x"]), its.former]).toEqual([
      former.owner,
      owner,
      ["former", "x"],
      undefined,
    ]);
    expect(asOwnerOf(place, data)).toBe(place);
  });

  it("has the ports of members kept for both users, while there are two", () => {
    expect([serverUids({ ...place, former }), serverUids(place), serverUids({ ...place, owner: undefined })]).toEqual([
      [54_322, 54_321],
      [54_322],
      [],
    ]);
  });
});
