import { describe, expect, it } from "vitest";
import type { AttachmentRecord } from "../../../../src/model/records.ts";
import { forAttachments, inTheWayOfDropping } from "../../../../src/reconcile/concerns/attachments/plan.ts";

const going: AttachmentRecord = {
  app: "web",
  cluster: "pg",
  database: "web",
  user: "web",
  variable: "DATABASE_URL",
  superuser: false,
  scheme: "postgres",
  phase: "destroying",
  made: { database: true, user: true },
  detaching: true,
  createdAt: "2026-01-01T00:00:00.000Z",
};
const phases = ["creating", "ready", "destroying"] as const;

describe("dropping the database of an attachment", () => {
  it("is a step of its own, before the role goes", () => {
    const planned = (record: AttachmentRecord) =>
      forAttachments({ attachments: [{ record }] }).map(({ step, because }) => [step.what, because]);
    expect(planned(going)).toEqual([
      ["drop-database", "drop database web of pg with everything in it: detaching web was asked for with it"],
    ]);
    expect(planned({ ...going, made: { database: false, user: true } })).toEqual([
      ["revoke", "detach web from pg: role web and DATABASE_URL go"],
    ]);
    const { detaching: _none, ...halfMade } = going;
    expect(planned(halfMade)).toEqual([
      [
        "drop-database",
        "drop database web of pg with everything in it: attaching web made it and did not come to its end",
      ],
    ]);
  });

  it("is refused while any other attachment is in it, whatever its phase, and where nobody asks for it any more", () => {
    for (const phase of phases) {
      expect(inTheWayOfDropping(going, [going, { ...going, app: "guest", user: "guest", phase }])).toEqual({
        apps: "guest",
      });
      expect(inTheWayOfDropping(going, [going, { ...going, variable: "OTHER_URL", phase }])).toEqual({ apps: "web" });
      expect(inTheWayOfDropping(going, [going, { ...going, app: "guest", database: "guest", phase }])).toBeUndefined();
      if (phase !== "destroying")
        expect(inTheWayOfDropping(going, [{ ...going, phase }])).toMatchObject({ why: expect.any(String) as string });
    }
    expect(inTheWayOfDropping(going, [])).toMatchObject({ why: expect.any(String) as string });
    expect(inTheWayOfDropping(going, [{ ...going, made: { database: false, user: true } }])).toMatchObject({
      why: expect.any(String) as string,
    });
    expect(inTheWayOfDropping(going, [{ ...going, database: "other" }])).toMatchObject({
      why: expect.any(String) as string,
    });
  });
});
