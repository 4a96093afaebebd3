import { describe, expect, it } from "vitest";
import { daemonEnvironment } from "../../../src/host/process/daemon-environment.ts";

describe("the environment of perchd", () => {
  it("has what programs need to be found and to write text and time", () => {
    const env = {
      PATH: "/bin",
      HOME: "/root",
      LC_TIME: "C",
      TZ: "UTC",
      TMPDIR: "/tmp",
      PERCH_LOG: "debug",
      NODE_OPTIONS: "--no-warnings",
    };
    expect(daemonEnvironment(env)).toEqual(env);
  });

  it.each([
    "PERCH_TOKEN",
    "PERCH_REMOTE",
    "PGPASSWORD",
    "PGHOST",
    "DATABASE_URL",
    "AWS_SECRET_ACCESS_KEY",
    "NODE_AUTH_TOKEN",
    "LC",
    "XPATH",
  ])("has no %s", (name) => {
    expect(daemonEnvironment({ [name]: "value", PATH: "/bin" })).toEqual({ PATH: "/bin" });
  });
});
