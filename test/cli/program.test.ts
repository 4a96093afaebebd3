import { describe, expect, it } from "vitest";
import { inNameOf, programName } from "../../src/cli/program.ts";

describe("the name perch is called by", () => {
  it.each([
    ["fly", "/usr/lib/perch/dist/cli/main.js", "fly"],
    [undefined, "/usr/local/bin/flyctl", "flyctl"],
    [undefined, "/usr/lib/node_modules/perch/dist/cli/main.js", "perch"],
    [undefined, undefined, "perch"],
    ["$(id)", "/usr/local/bin/fly", "perch"],
    ["", "/usr/local/bin/fly", "perch"],
  ])("%s, %s: %s", (called, path, expected) => {
    expect(programName(called === undefined ? {} : { PERCH_CALLED_AS: called }, path)).toBe(expected);
  });

  it("begins the lines that are to be typed, and changes no other perch", () => {
    const text =
      "Type: perch pg attach <cluster>; or see: perch --help. perchd of perch.toml in /srv/perch x; my-perch is a name; perch: unknown";
    expect(inNameOf("fly", text)).toBe(
      "Type: fly pg attach <cluster>; or see: fly --help. perchd of perch.toml in /srv/perch x; my-perch is a name; fly: unknown",
    );
    expect(inNameOf("perch", text)).toBe(text);
  });
});
