import { describe, expect, it } from "vitest";
import type { Status } from "../../../src/api/schemas.ts";
import { onlyOf } from "../../../src/cli/commands/status.ts";

describe("status of one name", () => {
  const status = {
    apps: [{ name: "web" }, { name: "lone" }],
    clusters: [
      { name: "pg", attachments: [{ app: "web" }] },
      { name: "far", attachments: [] },
    ],
    warnings: ["kept"],
  } as unknown as Status;

  it.each([
    ["pg", [], ["pg"]],
    ["web", ["web"], ["pg"]],
    ["lone", ["lone"], []],
  ])("of %s is it and what it is attached to", (name, apps, clusters) => {
    const only = onlyOf(status, name);
    expect([only.apps.map((app) => app.name), only.clusters.map((cluster) => cluster.name), only.warnings]).toEqual([
      apps,
      clusters,
      status.warnings,
    ]);
  });

  it("is an error where there is none", () => {
    expect(() => onlyOf(status, "nosuch")).toThrow(expect.objectContaining({ code: "app_not_found" }) as Error);
  });
});
