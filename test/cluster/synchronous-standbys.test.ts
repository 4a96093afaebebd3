import { describe, expect, it } from "vitest";
import { promiseOf, standbysOf } from "../../src/cluster/synchronous-standbys.ts";

const record = { leader: "a1", synchronous: { names: ["a2", "a3"], holders: ["a2", "a3"] } };

describe("with synchronous replication, whom a member waits for", () => {
  it("is while it leads whom the record names, and as a replica already the leader and the others", () => {
    expect(standbysOf(record, "a1")).toEqual(["a2", "a3"]);
    expect(standbysOf(record, "a2")).toEqual(["a1", "a3"]);
    expect(standbysOf({ ...record, synchronous: { names: [], holders: [] } }, "a2")).toEqual(["a1"]);
  });
  it("is nobody where it was not asked for", () => expect(standbysOf({ leader: "a1" }, "a2")).toEqual([]));

  it("is after a change what it was before: no setting has to be read in that moment", () => {
    const synchronous = promiseOf(record, "a2", { whole: true });
    expect(synchronous).toEqual({ names: ["a1", "a3"], holders: ["a1", "a3"] });
    expect(standbysOf({ leader: "a2", ...(synchronous && { synchronous }) }, "a2")).toEqual(standbysOf(record, "a2"));
  });
  it("promises nothing of those that may lack what a lost leader had acknowledged", () => {
    expect(promiseOf(record, "a2", { whole: false })).toEqual({ names: ["a1", "a3"], holders: [] });
  });
  it("is nobody after the only other one is lost", () => {
    const two = { leader: "a1", synchronous: { names: ["a2"], holders: ["a2"] } };
    expect(promiseOf(two, "a2", { whole: false })).toEqual({ names: [], holders: [] });
    expect(promiseOf(two, "a2", { whole: true })).toEqual({ names: ["a1"], holders: ["a1"] });
  });
  it("stays as it is, when the leader is promoted whose promotion was cut short", () => {
    expect(promiseOf(record, "a1", { whole: false })).toEqual(record.synchronous);
  });
});
