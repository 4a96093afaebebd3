import { describe, expect, it } from "vitest";
import { type Route } from "../../../src/api/route.ts";
import { routes } from "../../../src/api/routes.ts";
import { openApiDocument, type Operation } from "../../../src/server/http/openapi.ts";

const { paths } = openApiDocument("1.2.3");
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, string, Operation] => [path, method, operation]),
);

describe("the OpenAPI document", () => {
  it("has one operation a route, under the route's name", () => {
    expect(operations.map(([, , operation]) => operation.operationId).toSorted()).toEqual(
      Object.keys(routes).toSorted(),
    );
    expect(operations.length).toBeGreaterThan(30);
  });

  it("declares every parameter that stands in a path", () => {
    for (const [path, , { parameters }] of operations) {
      const declared = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it("answers plain routes with JSON and the others with frames", () => {
    for (const [, , { operationId, responses }] of operations) {
      const route: Route = routes[operationId as keyof typeof routes];
      expect(Object.keys(responses["200"]?.content ?? {})).toEqual([
        route.kind === "plain" ? "application/json" : "application/x-ndjson",
      ]);
    }
  });

  it("shows what a caller may leave away as such", () => {
    const schema = paths["/v1/clusters"]?.["post"]?.requestBody?.content["application/json"]?.schema;
    expect(schema?.["required"]).toEqual(["name", "region"]);
  });

  it("says which scope of a token each takes, and nothing where none will do", () => {
    expect(paths["/v1/apps/{app}/secrets"]?.["put"]?.security).toEqual([{ token: ["deploy", "admin"] }]);
    expect(paths["/v1/runs"]?.["post"]?.security).toBeUndefined();
  });
});
