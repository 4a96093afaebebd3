import { describe, expect, it } from "vitest";
import type { Exposure } from "../../../../src/model/exposure.ts";
import { exposureConcern } from "../../../../src/reconcile/concerns/exposures/exposures.ts";
import type { Held } from "../../../../src/reconcile/concerns/certificates/plan.ts";
import type { ExposureFacts } from "../../../../src/reconcile/concerns/exposures/plan.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import { cluster, leading, member, streaming } from "../../world.ts";

const exposure = {
  hostname: "db.example.com",
  listen: "203.0.113.7:5432",
  superusers: ["postgres"],
  createdAt: "2026-01-02T03:04:05.678Z",
} as unknown as Exposure;

const planned = (
  facts: Partial<ExposureFacts> | undefined,
  more: { exposure?: Exposure } = { exposure },
  members = [member("a1", leading)],
  certificates: Partial<Held> = {},
) => {
  const view = cluster(members);
  const found = facts && { ingress: "open", superusers: ["postgres"], ...facts };
  return plan(
    {
      ...view,
      cluster: { ...view.cluster, ...more },
      found: new Map<string, unknown>([
        ["exposures", found],
        [
          "certificate",
          new Map(members.map(({ record }) => [record.id, { due: false, unreadSince: undefined, ...certificates }])),
        ],
      ]),
    },
    [exposureConcern],
  );
};

describe("what is done about a public ingress", () => {
  const creating: Exposure = { ...exposure, phase: "creating" };
  const { superusers: _unknown, ...unasked } = creating;
  const open = "open the public door of pg at 203.0.113.7:5432: it was asked for.";

  it("is nothing while it is as it is wanted, whether its process runs just now or not", () => {
    const quiet = [planned({}), planned({ ingress: "closed" }), planned({ ingress: "left" }), planned(undefined)];
    expect(quiet.map(({ steps }) => steps)).toEqual([[], [], [], []]);
    expect(planned({ ingress: "closed", superusers: undefined }, {}).steps).toEqual([]);
  });

  it("opens one that was asked for, also where an ended perchd had opened it already", () => {
    expect(planned({ ingress: "closed" }, { exposure: creating }).sentence).toBe(open);
    expect(planned({ ingress: "left" }, { exposure: creating }).sentence).toBe(open);
  });

  it("opens none before its superusers are known and refused, and every server that runs knows its rules", () => {
    expect(planned({ superusers: undefined }, { exposure: unasked }).steps).toEqual([]);
    expect(planned({}, { exposure: unasked }).steps).toMatchObject([{ what: "refuse", names: ["postgres"] }]);
    const behind = [member("a1", leading), member("b1", { ...streaming, configured: false })];
    expect(planned({}, { exposure: creating }, behind).steps.map((step) => step.do)).toEqual(["slots", "configure"]);
    for (const certificates of [{ due: true }, { unreadSince: 1 }])
      expect(planned({}, { exposure: creating }, [member("a1", leading)], certificates).steps).toEqual([]);
  });

  it("shuts one that is not wanted, whoever opened it", () => {
    for (const ingress of ["open", "left"] as const)
      expect(planned({ ingress, superusers: undefined }, {}).sentence).toBe(
        "shut the public door of pg: it is not wanted any more.",
      );
  });

  it("writes the superusers down when there are others than before, and one that is gone, too", () => {
    expect(planned({ superusers: ["boss", "postgres"] })).toEqual({
      sentence: "the public ingress refuses the superusers boss, postgres: there are others than before.",
      steps: [
        {
          do: "concern",
          concern: "exposures",
          what: "refuse",
          thing: "of the public ingress",
          names: ["boss", "postgres"],
        },
      ],
    });
    expect(planned({ superusers: [] }).steps).toHaveLength(1);
    expect(planned({ superusers: undefined }).steps).toEqual([]);
  });
});
