import { describe, expect, it } from "vitest";
import { unitName, type UnitOptions, unitText } from "../../../src/cli/systemd/unit.ts";

const options: UnitOptions = {
  network: "default",
  program: ["/usr/bin/node", "/opt/perch/dist/cli/main.js"],
  base: "/var/lib/perch",
  root: "/var/lib/perch",
  pidFile: "/var/lib/perch/perchd.pid",
  path: "/usr/bin:/bin",
  system: true,
};
const lines = (more: Partial<UnitOptions> = {}): string[] => unitText({ ...options, ...more }).split("\n");

describe("the unit", () => {
  it("starts, stops and finds perchd by the network's own words", () => {
    expect(lines()).toEqual(
      expect.arrayContaining([
        'ExecStart="/usr/bin/node" "/opt/perch/dist/cli/main.js" up --network default',
        'ExecStop="/usr/bin/node" "/opt/perch/dist/cli/main.js" systemd stop --network default --unit %n',
        "PIDFile=/var/lib/perch/perchd.pid",
        'Environment="PERCH_HOME=/var/lib/perch" "PATH=/usr/bin:/bin"',
        "KillMode=process",
        "OOMPolicy=continue",
        "WantedBy=multi-user.target",
      ]),
    );
  });

  it("of another network has a name of its own, and is passed over where that network is gone", () => {
    expect([unitName("default"), unitName("blue")]).toEqual(["perch.service", "perch-blue.service"]);
    const blue = lines({ network: "blue", root: "/var/lib/perch/networks/blue" });
    expect(blue).toContain("ConditionPathExists=/var/lib/perch/networks/blue/network.json");
    expect(lines().filter((line) => line.startsWith("Condition"))).toEqual([]);
  });

  it("takes paths as they are: spaces, quotes, backslashes, and what systemd would read as its own", () => {
    const odd = '/srv/my "data"\\100%$HOME';
    const text = lines({ program: ["/opt/no de/node", `${odd}/main.js`], base: odd });
    expect(text).toContain(
      'ExecStart="/opt/no de/node" "/srv/my \\"data\\"\\\\100%%$$HOME/main.js" up --network default',
    );
    expect(text).toContain('Environment="PERCH_HOME=/srv/my \\"data\\"\\\\100%%$HOME" "PATH=/usr/bin:/bin"');
  });

  it("of an ordinary user asks for nothing that only root can give", () => {
    const own = unitText({ ...options, system: false });
    expect(own).toContain("WantedBy=default.target");
    for (const word of ["CapabilityBoundingSet", "DevicePolicy", "OOMScoreAdjust", "LimitNOFILE", "ProtectClock"]) {
      expect(own).not.toContain(word);
      expect(unitText(options)).toContain(word);
    }
  });

  it("makes no mount namespace: what is mounted in one is not there for perch run, nor after a restart", () => {
    const mounting =
      /^(?:PrivateTmp|PrivateDevices|PrivateMounts|ProtectSystem|ProtectHome|ProtectKernel\w+|ProtectControlGroups|ReadOnlyPaths|InaccessiblePaths)=/;
    expect(lines().filter((line) => mounting.test(line))).toEqual([]);
  });
});
