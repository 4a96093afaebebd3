import type { InjectOptions } from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import { openLog } from "../../../src/base/log.ts";
import { fail } from "../../../src/errors/error.ts";
import { type Handlers, httpServer } from "../../../src/server/http/http.ts";

const logged: string[] = [];
const log = openLog({ write: (line: string) => void logged.push(line) });

/** Small handlers of the right shapes: what is tried here is what lies between a socket and a handler. */
const served: Partial<Handlers> = {
  listApps: () => Promise.resolve([]),
  createApp: ({ body }) => Promise.reject(fail("app_exists", { app: body.name, noun: "apps" })),
  destroyApp: () => Promise.reject(new Error("password=hunter22 leaked")),
  restartCluster: ({ params }, call) => {
    call.progress(`restart ${params.cluster}`);
    return params.cluster === "pg"
      ? Promise.resolve({})
      : Promise.reject(fail("not_a_cluster", { app: params.cluster }));
  },
  async *events({ query }) {
    for (let id = 1; id <= query.last; id++)
      yield await Promise.resolve({ id, at: "2026-11-24T06:00:00.000Z", subject: "pg", sentence: "…" });
  },
};
const app = httpServer(served as Handlers, { log, version: "0.0.0" });
afterAll(() => app.close());

const code = async (request: InjectOptions): Promise<[number, string]> => {
  const response = await app.inject(request);
  return [response.statusCode, response.json<{ error: { code: string } }>().error.code];
};
const json = { "content-type": "application/json" };

describe("a request", () => {
  it.each([
    ["%00..", ".."],
    ["%00.", "."],
    ["%00", ""],
    ["%00web", "\\u{0}web"],
    ["%00...", "\\u{0}..."],
  ])("names in its path %s, which is “%s”", async (segment, name) => {
    const { payload } = await app.inject({
      method: "POST",
      url: `/v1/clusters/${segment}/restart`,
      headers: json,
      payload: "{}",
    });
    expect(payload).toContain(`app ${JSON.stringify(name).slice(1, -1)} is not a postgres app`);
  });

  it.each([
    ["of an unknown route", { method: "GET" as const, url: "/v1/nothing" }, 404, "route_unknown"],
    ["of a known path by another method", { method: "PATCH" as const, url: "/v1/apps" }, 404, "route_unknown"],
    [
      "that is no JSON",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: "{" },
      400,
      "request_invalid",
    ],
    [
      "without what it needs",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: "{}" },
      400,
      "request_invalid",
    ],
    [
      "with a field too many",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: '{"name":"web","nmae":1}' },
      400,
      "request_invalid",
    ],
    [
      "of the wrong type",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: '{"name":7}' },
      400,
      "request_invalid",
    ],
    [
      "that is no object",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: '["web"]' },
      400,
      "request_invalid",
    ],
    [
      "above 1 MiB",
      {
        method: "POST" as const,
        url: "/v1/apps",
        headers: json,
        payload: JSON.stringify({ name: "x".repeat(1_048_576) }),
      },
      413,
      "request_too_large",
    ],
    [
      "in another format",
      { method: "POST" as const, url: "/v1/apps", headers: { "content-type": "text/xml" }, payload: "<a/>" },
      400,
      "request_invalid",
    ],
    [
      "that the handler refuses",
      { method: "POST" as const, url: "/v1/apps", headers: json, payload: '{"name":"web"}' },
      409,
      "app_exists",
    ],
    ["with a query that is no number", { method: "GET" as const, url: "/v1/events?last=many" }, 400, "request_invalid"],
  ])("%s is refused with its code", async (_title, request, status, wanted) => {
    expect(await code(request)).toEqual([status, wanted]);
  });

  it("that fails within is told to the caller and logged, without the secret in it", async () => {
    expect(await code({ method: "DELETE", url: "/v1/apps/web" })).toEqual([500, "internal"]);
    expect(logged.join("")).toContain("a request failed");
    expect(logged.join("")).not.toContain("hunter22");
  });
});

describe("a stream", () => {
  const frames = async (cluster: string) => {
    const { statusCode, body } = await app.inject({ method: "POST", url: `/v1/clusters/${cluster}/restart` });
    return [
      statusCode,
      ...body
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ];
  };
  it("tells progress, then the result", async () => {
    expect(await frames("pg")).toEqual([200, { progress: "restart pg" }, { result: {} }]);
  });
  it("tells progress, then the error", async () => {
    expect(await frames("web")).toEqual([
      200,
      { progress: "restart web" },
      { error: fail("not_a_cluster", { app: "web" }).toBody() },
    ]);
  });
});

describe("a feed", () => {
  it("gives one item a line", async () => {
    const { body } = await app.inject({ method: "GET", url: "/v1/events?last=3" });
    expect(
      body
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: number }).id),
    ).toEqual([1, 2, 3]);
  });
});
