import { describe, expect, it } from "vitest";
import { addressCommands, routesText } from "../../src/network/rules.ts";

describe("routesText", () => {
  it("replaces the whole map in one transaction, in a stable order", () => {
    const routes = new Map([
      ["fdaa:1:2:c::11", "fdaa:1:2:1::10"],
      ["fdaa:1:2:1::10", "fdaa:1:2:1::10"],
    ]);
    expect(routesText(routes)).toBe(
      "flush map inet perch leader\nadd element inet perch leader { fdaa:1:2:1::10 : fdaa:1:2:1::10 . 5433, fdaa:1:2:c::11 : fdaa:1:2:1::10 . 5433 }\n",
    );
  });
  it("only empties it where no cluster has a leader", () => {
    expect(routesText(new Map())).toBe("flush map inet perch leader\n");
  });
});

describe("addressCommands", () => {
  it("adds what is missing and takes away what is not wanted any more", () => {
    expect(addressCommands("fdaa:1:2", ["::1", "fdaa::3", "fdaa:1:2:1::10"], ["fdaa::3", "fdaa:1:2:1::11"])).toEqual([
      "address add fdaa:1:2:1::11/128 dev lo nodad",
      "address delete fdaa:1:2:1::10/128 dev lo",
    ]);
  });
  it("leaves addresses alone that are not of this network", () => {
    expect(addressCommands("fdaa:1:2", ["::1", "fdaa:1:22::5"], [])).toEqual([]);
  });
  it("does nothing where all is as wanted", () => {
    expect(addressCommands("fdaa:1:2", ["fdaa::3"], ["fdaa::3"])).toEqual([]);
  });
});
