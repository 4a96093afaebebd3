import { describe, expect, it } from "vitest";
import type { Pool } from "../../../../src/model/records.ts";
import { limitConcern } from "../../../../src/reconcile/concerns/limits/limits.ts";
import { attachment, cluster, leading, member } from "../../world.ts";

const { record } = attachment("ready");
const room = { max: 300, free: 297 };
const role = { role: "web", limit: -1, superuser: false, taken: 0 };
const pool = { mode: "transaction", size: 60 } as Pool;

describe("an attachment from before there were connection limits", () => {
  const planned = (logins: (typeof role)[], more: { pooled?: true; pool?: Pool } = {}) => {
    const { pooled, ...view } = more;
    const one = pooled === undefined ? record : { ...record, pooled };
    return limitConcern
      .plan(cluster([member("a1", leading)], view), { room, waiting: [{ attachment: one, logins }] })
      .map(({ step }) => ("limit" in step && "what" in step ? { what: step.what, limit: step.limit } : step));
  };

  it("gets the default while it uses half of it at most, by each of its logins, and none before that", () => {
    expect(planned([role])).toEqual([{ what: "give", limit: 100 }]);
    expect(planned([{ ...role, taken: 50 }])).toEqual([{ what: "give", limit: 100 }]);
    expect(planned([{ ...role, taken: 51 }])).toEqual([]);
    expect(planned([role, { ...role, role: "web.2", taken: 51 }])).toEqual([]);
  });

  it("gets room for its poolers where it comes through them", () => {
    expect(planned([role], { pooled: true, pool })).toEqual([{ what: "give", limit: 120 }]);
    expect(planned([role], { pool })).toEqual([{ what: "give", limit: 100 }]);
  });

  it("keeps what the operator has set, however much it uses", () => {
    expect(planned([{ ...role, limit: 0 }])).toEqual([{ what: "note", limit: 0 }]);
    expect(planned([{ ...role, limit: 7, taken: 7 }])).toEqual([{ what: "note", limit: 7 }]);
  });

  it("is left alone where its role is gone or a superuser, and where nothing was found out", () => {
    expect(planned([])).toEqual([]);
    expect(planned([{ ...role, superuser: true }])).toEqual([]);
    expect(limitConcern.plan(cluster([member("a1", leading)]), undefined)).toEqual([]);
  });
});
