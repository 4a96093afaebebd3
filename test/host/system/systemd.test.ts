import { describe, expect, it } from "vitest";
import { jobIn, managerOf, unitIn } from "../../../src/host/system/systemd.ts";

describe("what systemd is doing with a unit", () => {
  const listed = "123 perch.service restart running\n124 perch-blue.service stop  waiting\n";

  it("is the type of its job", () => {
    expect(jobIn(listed, "perch.service")).toBe("restart");
    expect(jobIn(listed, "perch-blue.service")).toBe("stop");
  });

  it("is nothing where it has no job, or nobody has", () => {
    expect(jobIn(listed, "perch-green.service")).toBeUndefined();
    expect(jobIn("", "perch.service")).toBeUndefined();
    expect(jobIn("No jobs running.\n", "perch.service")).toBeUndefined();
  });
});

describe("the unit of a process", () => {
  it("is told by systemd's own control group, of either kind", () => {
    expect(unitIn("0::/system.slice/perch.service\n")).toBe("perch.service");
    expect(unitIn("9:name=systemd:/system.slice/perch-blue.service\n4:memory:/other.service\n0::/\n")).toBe(
      "perch-blue.service",
    );
  });

  it("is that of the user's manager, not the manager itself", () => {
    expect(unitIn("0::/user.slice/user-1000.slice/user@1000.service/app.slice/perch.service\n")).toBe("perch.service");
    expect(unitIn("0::/user.slice/user-1000.slice/user@1000.service/session.slice\n")).toBeUndefined();
  });

  it("is none in a session, a container or elsewhere", () => {
    expect(unitIn("0::/user.slice/user-0.slice/session-3.scope\n")).toBeUndefined();
    expect(unitIn("4:memory:/perch.service\n")).toBeUndefined();
    expect(unitIn("")).toBeUndefined();
  });
});

describe("the manager", () => {
  it("has its units where somebody who is asked for them looks", () => {
    const { system, directory } = managerOf({ XDG_CONFIG_HOME: "/home/ann/conf" });
    expect({ system, directory }).toEqual(
      process.getuid?.() === 0
        ? { system: true, directory: "/etc/systemd/system" }
        : { system: false, directory: "/home/ann/conf/systemd/user" },
    );
  });
});
