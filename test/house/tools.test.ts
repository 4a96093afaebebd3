import { afterEach, describe, expect, it, vi } from "vitest";
import { missingTools } from "../support/tools.ts";

describe("a tool that a test cannot do without", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is a skip where it is missing, and in CI a failure, whichever it is", () => {
    for (const tool of ["no-such-toolchain", "sh -c 'exit 1'"]) {
      vi.stubEnv("CI", "");
      expect(missingTools("sh", tool)).toBe(true);
      vi.stubEnv("CI", "true");
      expect(() => missingTools("sh", tool)).toThrow(`${tool} cannot be found, and CI must run every test`);
      expect(missingTools("sh")).toBe(false);
    }
  });
});
