import { expect, it } from "vitest";
import { calls } from "../../src/api/calls.ts";
import { routes } from "../../src/api/routes.ts";

it("has each route with what a caller needs of it, and nothing that a build could not write down", () => {
  expect(Object.keys(calls)).toEqual(Object.keys(routes));
  expect(calls.status).toEqual({ method: "GET", path: "/v1/status", kind: "plain", body: false, remote: true });
  expect(calls.createRun).toEqual({ method: "POST", path: "/v1/runs", kind: "plain", body: true, remote: false });
  expect(JSON.parse(JSON.stringify(calls))).toEqual(calls);
});
