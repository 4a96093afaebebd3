import { lstatSync } from "node:fs";
import http from "node:http";
import { connect } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { maxBodyBytes } from "../../src/api/route.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the API on the socket", () => {
  const { ok, home, client } = worldIn();
  interface Reply {
    status: number;
    body: { error?: { code: string; message: string; next: string } };
  }

  function request(method: string, path: string, text?: string, type = "application/json"): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) };
      const outgoing = http.request({ socketPath: home.socket, method, path, agent: false, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Reply["body"],
          }),
        );
      });
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }

  /** The state, without what perchd's work changes by itself: its memory, its delays. */
  const kept = async () => {
    const { network, daemon, clusters, apps } = await client.call("status", {});
    return { network, pid: daemon.pid, since: daemon.since, clusters, apps };
  };

  beforeAll(async () => {
    await ok("up");
    await ok("apps", "create", "web");
  });

  it("is for its owner alone", () => {
    const socket = lstatSync(home.socket);
    expect(socket.isSocket()).toBe(true);
    expect((socket.mode & 0o777).toString(8)).toBe("600");
    expect(socket.uid).toBe(process.getuid?.());
  });

  const post = ["POST", "/v1/apps"] as const;
  it.each<
    [what: string, method: string, path: string, body: string | undefined, status: number, code: string, why: string]
  >([
    ["no JSON", ...post, '{"name": ', 400, "request_invalid", "the body is not JSON"],
    ["an empty body", ...post, "", 400, "request_invalid", "body"],
    ["no body", ...post, undefined, 400, "request_invalid", "body"],
    ["a list", ...post, "[]", 400, "request_invalid", "body"],
    ["null", ...post, "null", 400, "request_invalid", "body"],
    ["a field too few", ...post, "{}", 400, "request_invalid", "body.name"],
    ["a field too many", ...post, '{"name":"new","colour":"red"}', 400, "request_invalid", "colour"],
    ["a prototype", ...post, '{"name":"new","__proto__":{"x":1}}', 400, "request_invalid", "body"],
    ["a wrong type", ...post, '{"name":5}', 400, "request_invalid", "body.name"],
    ["a bad name", ...post, '{"name":"New"}', 400, "name_invalid", "upper-case"],
    ["a taken name", ...post, '{"name":"web"}', 409, "app_exists", "web"],
    ["a wrong query", "GET", "/v1/events?last=many", undefined, 400, "request_invalid", "query.last"],
    ["an unknown query", "GET", "/v1/events?frob=1", undefined, 400, "request_invalid", "frob"],
    ["an unknown route", "GET", "/v1/nothing", undefined, 404, "route_unknown", "GET /v1/nothing"],
    ["another method", "PATCH", "/v1/apps", "{}", 404, "route_unknown", "PATCH /v1/apps"],
    ["dots in a path", "GET", "/v1/apps/../../etc/passwd", undefined, 404, "route_unknown", "there is no GET"],
    ["bytes that are no path", "GET", "/v1/apps/%zz/secrets", undefined, 400, "request_invalid", ""],
    ["an app that is not there", "GET", "/v1/apps/nobody/secrets", undefined, 404, "app_not_found", "nobody"],
    [
      "a run of a process that is not",
      "POST",
      "/v1/runs",
      '{"app":"web","pid":2147483646}',
      400,
      "request_invalid",
      "no process",
    ],
  ])("answers %s with an error and changes nothing", async (_what, method, path, body, status, code, why) => {
    const before = await kept();
    const reply = await request(method, path, body);
    expect(reply).toMatchObject({ status, body: { error: { code } } });
    expect(reply.body.error?.message).toContain(why);
    expect(reply.body.error?.next).toMatch(/./);
    expect(await kept()).toEqual(before);
  });

  it("refuses what is no JSON by its type", async () => {
    expect(await request("POST", "/v1/apps", "name=new", "application/x-www-form-urlencoded")).toMatchObject({
      status: 400,
      body: { error: { code: "request_invalid" } },
    });
  });

  it("refuses a request over 1 MiB, and takes one that is just below", async () => {
    const body = (bytes: number) => {
      const empty = JSON.stringify({ secrets: { A: "" } }).length;
      return JSON.stringify({ secrets: { A: "x".repeat(bytes - empty) } });
    };
    expect(await request("PUT", "/v1/apps/web/secrets", body(maxBodyBytes + 1))).toMatchObject({
      status: 413,
      body: { error: { code: "request_too_large" } },
    });
    expect(await request("PUT", "/v1/apps/web/secrets", body(maxBodyBytes))).toMatchObject({
      status: 400,
      body: { error: { code: "secret_too_large" } },
    });
  });

  it.each([
    ["bytes that are no HTTP", "\0\u0001\u0002\r\n\r\n", "request_invalid"],
    ["a line that is no request", "GET\r\n\r\n", "request_invalid"],
    ["a head that is too long", `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`, "request_invalid"],
    [
      "a body that breaks off",
      "POST /v1/apps HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
      "request_invalid",
    ],
    [
      "an upgrade of no URL",
      "POST // HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: perch-proxy\r\n\r\n",
      "request_invalid",
    ],
    ["a call to connect elsewhere", "CONNECT x:1 HTTP/1.1\r\n\r\n", "route_unknown"],
    ["an expectation", "GET /v1/nothing HTTP/1.1\r\nExpect: more\r\n\r\n", "route_unknown"],
  ])("answers %s, and lives on", async (_what, bytes, code) => {
    const heard = await new Promise<string>((resolve) => {
      let text = "";
      // Half a connection is the end of what a caller says: a body that breaks off.
      const socket = connect({ path: home.socket, allowHalfOpen: true }, () => socket.end(bytes));
      socket.on("data", (chunk) => {
        text += chunk.toString("utf8");
        if (text.endsWith("}}")) socket.destroy();
      });
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(text));
    });
    expect(heard).toContain(`{"error":{"code":"${code}"`);
    expect((await client.call("status", {})).daemon.pid).toBeGreaterThan(1);
  });
});
