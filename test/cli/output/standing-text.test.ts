import { describe, expect, it } from "vitest";
import type { Cluster, Member } from "../../../src/api/schemas.ts";
import { standingFor, standingOf } from "../../../src/cli/output/standing-text.ts";

const member = (role: Member["role"], state: Member["state"], note?: string): Member => ({
  id: `${role}1`,
  region: "ams",
  role,
  address: "fdaa::10",
  port: 5433,
  state,
  pid: null,
  lagBytes: null,
  ...(note === undefined ? {} : { note }),
});
const cluster = (name: string, members: Member[], phase: Cluster["phase"] = "ready"): Cluster => ({
  name,
  version: "15",
  primaryRegion: "ams",
  phase,
  host: `${name}.internal`,
  port: 5432,
  pool: null,
  synchronous: "off",
  members,
  attachments: [],
});

describe("how clusters stand when perchd runs", () => {
  it("names each whose leader does not run, with PostgreSQL's own words", () => {
    const loader = "postgres: error while loading shared libraries: libssl.so.3: cannot open shared object file";
    const { down, errors, notes } = standingOf([
      cluster("pg", [member("leader", "failed", loader), member("replica", "streaming")]),
      cluster("well", [member("leader", "started")]),
      cluster("orders", [member("replica", "starting")]),
    ]);
    expect(down).toEqual(["pg", "orders"]);
    expect(errors.map(({ code, message, next }) => [code, message, next])).toEqual([
      [
        "cluster_not_up",
        `perchd runs, and cluster pg is not up: its leader leader1 in ams does not run: ${loader}`,
        "Look at: perch logs -a pg",
      ],
      [
        "cluster_not_up",
        "perchd runs, and cluster orders is not up: it has no leader",
        "Look at: perch logs -a orders",
      ],
    ]);
    expect(notes).toEqual([]);
  });

  it("counts one that recovers as coming up, and only tells of a replica that does not run", () => {
    const { down, notes } = standingOf([
      cluster("pg", [member("leader", "starting")]),
      cluster("orders", [member("leader", "started"), member("replica", "failed", "the disk is full")]),
    ]);
    expect(down).toEqual([]);
    expect(notes).toEqual([
      "Cluster pg is coming up, its leader leader1 in ams does not take connections yet; look at: perch logs -a pg",
      "Replica replica1 of orders in ams does not run: the disk is full; look at: perch logs -a orders",
    ]);
  });

  it("says nothing of one that was stopped on purpose, is being made, or goes away", () => {
    const quiet = [
      cluster("stopped", [member("leader", "stopped"), member("replica", "stopped")]),
      cluster("new", [member("leader", "failed")], "creating"),
      cluster("going", [member("leader", "failed")], "destroying"),
    ];
    expect(standingOf(quiet)).toEqual({ down: [], errors: [], notes: [] });
  });
});

describe("how they stand for who needs one of them", () => {
  const broken = (name: string) => cluster(name, [member("leader", "failed", "it said no")]);
  const code = (clusters: Cluster[]) => standingFor("pg", clusters).error?.code;

  it("its own trouble is an error, also where it is half made or half destroyed", () => {
    expect(code([])).toBeUndefined();
    expect(code([cluster("pg", [member("leader", "started")])])).toBeUndefined();
    expect(code([broken("other"), broken("pg")])).toBe("cluster_not_up");
    expect(standingFor("pg", [cluster("pg", [], "destroying")]).error?.message).toBe("cluster pg is being destroyed");
    expect(code([cluster("pg", [member("leader", "starting")], "creating")])).toBe("cluster_not_ready");
  });

  it("that of another one is a note, with what to do", () => {
    const { error, notes } = standingFor("pg", [broken("other"), cluster("pg", [member("leader", "started")])]);
    expect(error).toBeUndefined();
    expect(notes).toEqual([
      "perchd runs, and cluster other is not up: its leader leader1 in ams does not run: it said no; Look at: perch logs -a other",
    ]);
  });
});
