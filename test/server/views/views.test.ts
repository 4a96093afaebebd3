import { describe, expect, it } from "vitest";
import { clusterShape, memberShape, stateOf } from "../../../src/server/views/views.ts";
import { attachment, cluster, down, leading, member, nothing, streaming } from "../../reconcile/world.ts";

describe("the state of a member, as it is shown", () => {
  const starting = { ...down, running: true };
  it.each([
    ["started", member("a1", leading)],
    ["streaming", member("l1", streaming)],
    ["started", member("l1", { ...streaming, streaming: false })],
    ["starting", member("a1", starting)],
    ["starting", member("a1", down)],
    ["stopped", member("a1", down, { record: { wanted: "stopped" } })],
    ["stopping", member("a1", leading, { busy: "stop" })],
    ["failed", member("a1", down, { trouble: { step: "start", why: "port taken", attempts: 1, until: 0 } })],
    ["failed", member("a1", nothing)],
    ["creating", member("a1", nothing, { record: { phase: "creating" } })],
    ["destroying", member("a1", leading, { record: { phase: "destroying" } })],
  ])("%s", (state, one) => {
    expect(stateOf(cluster([one]), one)).toBe(state);
  });
});

describe("a cluster, as it is shown", () => {
  const leader = member("a1", leading, { record: { number: 17, process: { pid: 42, startTime: "1" } } });
  const replica = member("l1", { ...streaming, lagBytes: 512 }, { record: { number: 16 } });
  const more = { version: "15", primaryRegion: "ams" };

  it("has its leader first, its attachments, and the name that leads to it", () => {
    const view = cluster([replica, leader], {
      leader: "a1",
      attachments: [attachment("ready"), attachment("creating", { app: "half" })],
    });
    const shown = clusterShape(view, "root", more);
    expect(shown.members.map(({ id, role, port, pid, lagBytes }) => ({ id, role, port, pid, lagBytes }))).toEqual([
      { id: "a1", role: "leader", port: 5433, pid: 42, lagBytes: 0 },
      { id: "l1", role: "replica", port: 5433, pid: null, lagBytes: 512 },
    ]);
    expect([shown.host, shown.port, shown.attachments.map((one) => one.app)]).toEqual(["pg.internal", 5432, ["web"]]);
  });

  it("in portable mode lies on localhost", () => {
    const shown = memberShape(
      cluster([leader]),
      { ...leader, record: { ...leader.record, portablePort: 4001 } },
      "portable",
    );
    expect([shown.address, shown.port]).toEqual(["127.0.0.1", 4001]);
  });

  it("says what is wrong with a member and what happens next", () => {
    const waiting = member("a1", down, {
      trouble: { step: "start", why: "port 5433 is taken", attempts: 3, until: 1_004_000 },
    });
    const full = {
      ...waiting,
      trouble: { step: "start", why: "could not write lock file: No space left on device", attempts: 1, until: 0 },
    };
    expect(memberShape(cluster([full]), full, "root").note).toContain("; make room, and it goes on by itself");
    expect(memberShape(cluster([waiting]), waiting, "root").note).toBe("port 5433 is taken (attempt 3; next in 4 s)");
    const refused = { fit: undefined, why: "password authentication failed", walGone: false };
    const apart = member("l1", { ...streaming, streaming: false, apart: refused }, { since: { stranded: 990_000 } });
    expect(memberShape(cluster([leader, apart], { leader: "a1" }), apart, "root").note).toBe(
      "it does not stream from the leader: password authentication failed",
    );
  });
});
