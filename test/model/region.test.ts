import { describe, expect, it } from "vitest";
import { distance, findRegion, regionOfNumber, regions, similarRegions } from "../../src/model/region.ts";

const region = (code: string) => {
  const found = findRegion(code);
  if (found === undefined) throw new Error(`no region ${code}`);
  return found;
};

const nearest = (code: string, among: string[]): string[] =>
  among.toSorted((a, b) => distance(region(code), region(a)) - distance(region(code), region(b)));

describe("the regions", () => {
  it("have distinct codes of three letters and a name", () => {
    expect(new Set(regions.map((one) => one.code)).size).toBe(regions.length);
    for (const one of regions) {
      expect(one.code).toMatch(/^[a-z]{3}$/);
      expect(one.name).not.toBe("");
      expect(findRegion(one.code)).toBe(one);
      expect(regionOfNumber(one.number)).toBe(one);
    }
  });

  it("keep their numbers, which are part of addresses that are in use", () => {
    const numbers = Object.fromEntries(regions.slice(0, 18).map((one) => [one.code, one.number]));
    expect(numbers).toEqual({
      ams: 1,
      arn: 2,
      bom: 3,
      cdg: 4,
      dfw: 5,
      ewr: 6,
      fra: 7,
      gru: 8,
      iad: 9,
      jnb: 10,
      lax: 11,
      lhr: 12,
      nrt: 13,
      ord: 14,
      sin: 15,
      sjc: 16,
      syd: 17,
      yyz: 18,
    });
    expect(region("yul").number).toBe(35);
    expect(regionOfNumber(0)).toBeUndefined();
    expect(regionOfNumber(0xffff)).toBeUndefined();
  });

  it("lie on the globe", () => {
    for (const { latitude, longitude } of regions) {
      expect(Math.abs(latitude)).toBeLessThanOrEqual(60);
      expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
    }
  });

  it.each([
    ["ams", "lhr", 358],
    ["lhr", "iad", 5_900],
    ["syd", "lhr", 16_990],
    ["nrt", "sjc", 8_300],
    ["ams", "ams", 0],
  ])("are as far from each other as on the globe: %s to %s is %i km", (a, b, kilometres) => {
    const measured = distance(region(a), region(b));
    expect(Math.abs(measured - kilometres)).toBeLessThanOrEqual(0.02 * kilometres + 1);
    expect(distance(region(b), region(a))).toBeCloseTo(measured, 6);
  });

  it("are nearest to where a traveller would go, also across the date line", () => {
    expect(nearest("ams", ["syd", "iad", "fra", "lhr"])).toEqual(["lhr", "fra", "iad", "syd"]);
    expect(nearest("syd", ["lhr", "sin", "lax", "nrt"])).toEqual(["sin", "nrt", "lax", "lhr"]);
    expect(nearest("nrt", ["ams", "sea", "hkg"])).toEqual(["hkg", "sea", "ams"]);
    expect(nearest("ewr", ["yyz", "bos", "iad", "sjc"])).toEqual(["bos", "iad", "yyz", "sjc"]);
  });

  it("are found by codes that nearly name them", () => {
    expect(similarRegions("lhx")).toContain("lhr");
    expect(similarRegions("am")).toContain("ams");
    expect(similarRegions("lhrr")).toEqual(["lhr"]);
    expect(similarRegions("")).toEqual([]);
    expect(similarRegions("x".repeat(10_000))).toEqual([]);
  });

  it("are no property of an object by accident", () => {
    for (const code of ["__proto__", "constructor", "toString", ""]) expect(findRegion(code)).toBeUndefined();
  });
});
