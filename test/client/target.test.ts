import { describe, expect, it } from "vitest";
import { targetOf } from "../../src/client/target.ts";

describe("the target of a call", () => {
  it("holds parameters percent-encoded, so that a name cannot become a path", () => {
    expect(
      targetOf({ path: "/v1/clusters/:cluster/databases/:database" }, { cluster: "pg", database: "a/b?c#d é" }, {}),
    ).toBe("/v1/clusters/pg/databases/a%2Fb%3Fc%23d%20%C3%A9");
  });

  it("never lets an empty name or dots reach another route", () => {
    for (const app of ["", ".", ".."])
      expect(targetOf({ path: "/v1/apps/:app" }, { app }, {})).toBe(`/v1/apps/%00${app}`);
  });

  it("leaves out what was not given and writes the rest as a query", () => {
    expect(targetOf({ path: "/v1/events" }, {}, { follow: "true", subject: undefined, last: 5 })).toBe(
      "/v1/events?follow=true&last=5",
    );
  });
});
