import { describe, expect, it } from "vitest";
import type { Exposure } from "../../../../src/model/exposure.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import { superuserConcern } from "../../../../src/reconcile/concerns/superusers/superusers.ts";
import { cluster, leading, member } from "../../world.ts";

const exposure = {
  hostname: "db.example.com",
  listen: "203.0.113.7:5432",
  superusers: ["postgres"],
} as unknown as Exposure;

describe("the superusers that a public ingress refuses", () => {
  const planned = (found: unknown, more: { exposure?: Exposure } = { exposure }) => {
    const view = cluster([member("a1", leading)]);
    return plan({ ...view, cluster: { ...view.cluster, ...more }, found: new Map([["superusers", found]]) }, [
      superuserConcern,
    ]);
  };

  it("are written down when there are others than before, and one that is gone, too", () => {
    expect(planned(["boss", "postgres"])).toEqual({
      sentence: "the public ingress refuses the superusers boss, postgres: there are others than before.",
      steps: [
        { do: "concern", concern: "superusers", what: "refuse", thing: "of the cluster", names: ["boss", "postgres"] },
      ],
    });
    expect(planned([]).steps).toHaveLength(1);
  });

  it("are left as they are while they are the same, while nobody can be asked, and where nothing is public", () => {
    expect([planned(["postgres"]).steps, planned(undefined).steps, planned(["boss"], {}).steps]).toEqual([[], [], []]);
  });
});
