import http from "node:http";
import { connect } from "node:net";
import tls from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { type Route, scopes } from "../../src/api/route.ts";
import { routes } from "../../src/api/routes.ts";
import { perchdName } from "../../src/model/token.ts";
import { openRemote, type RemoteSide } from "../support/remote.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the API from another host", () => {
  const world = worldIn();
  const tokens: Record<string, string> = {};
  let remote: RemoteSide;

  beforeAll(async () => {
    await world.ok("up");
    await world.ok("apps", "create", "web");
    remote = await openRemote(world);
    for (const scope of scopes) tokens[scope] = await remote.token(scope, "--scope", scope);
    tokens["web"] = await remote.token("web", "--scope", "deploy", "--app", "web");
  });

  /** A request to each route about what does not exist, so that whoever is let in changes nothing. */
  const all = Object.entries<Route>(routes);
  const asking = (route: Route) => ({
    method: route.method,
    path: route.path.replaceAll(/:\w+/g, "nobody"),
    ...(route.body === undefined ? {} : { body: { nothing: true } }),
  });
  let sources = 1;
  /** Each wrong token from a place of its own: ten from one would shut it out. */
  const elsewhere = () => `127.0.${Math.floor(sources / 250) + 1}.${(sources++ % 250) + 1}`;

  it.each([...scopes])("lets a token of scope %s do on every route what the route says, and no more", async (scope) => {
    let mays = 0;
    for (const [name, route] of all) {
      const { status, frames } = await remote.ask({ ...asking(route), token: tokens[scope] });
      const needed = route.remote?.scope;
      const may = needed !== undefined && scopes.indexOf(scope) >= scopes.indexOf(needed);
      const refused = frames[0]?.error?.code;
      if (may) {
        expect([status, refused], `${scope}: ${name}`).not.toEqual([403, refused]);
        expect(status, `${scope}: ${name}`).not.toBe(401);
        mays += 1;
      } else
        expect(`${status} ${refused}`, `${scope}: ${name}`).toBe(
          needed === undefined ? "400 machine_only" : "403 token_scope",
        );
    }
    expect(mays).toBeGreaterThan(15);
    expect((await world.status()).apps).toEqual([{ name: "web", runs: 0 }]);
  });

  it("answers no route without a token, nor with a wrong one, nor one that does not exist", async () => {
    const paths: [string, ReturnType<typeof asking>][] = [
      ...all.map(([name, route]): [string, ReturnType<typeof asking>] => [name, asking(route)]),
      ["the document", { method: "GET", path: "/openapi.json" }],
      ["nothing", { method: "GET", path: "/v2/anything" }],
    ];
    for (const [name, request] of paths) {
      expect(await remote.ask(request), name).toMatchObject({
        status: 401,
        frames: [{ error: { code: "token_missing" } }],
      });
      const wrong = (tokens["admin"] ?? "").replace(/^perch_./, (begin) =>
        begin === "perch_-" ? "perch_x" : "perch_-",
      );
      expect(await remote.ask({ ...request, token: wrong, from: elsewhere() }), name).toMatchObject({
        status: 401,
        frames: [{ error: { code: "token_invalid" } }],
      });
    }
    expect((await remote.ask({ path: "/v1/apps/%zz" })).frames[0]?.error?.code).toBe("request_invalid");
    expect((await remote.ask({ path: "/openapi.json", token: tokens["read"] })).status).toBe(200);
    expect((await remote.ask({ path: "/v2/anything", token: tokens["read"] })).status).toBe(404);
  });

  it("answers no request for another host, nor one of a page, whatever token it has", async () => {
    const ask = (headers: Record<string, string>) => remote.ask({ path: "/v1/apps", token: tokens["admin"], headers });
    const refusal = async (headers: Record<string, string>) => {
      const { status, frames } = await ask(headers);
      return [status, frames[0]?.error?.code];
    };
    expect((await ask({ host: `127.0.0.1:${remote.port}` })).status).toBe(200);
    expect((await ask({ host: perchdName })).status).toBe(200);
    for (const host of [`rebound.example:${remote.port}`, "localhost", "127.0.0.1.rebound.example"])
      expect(await refusal({ host }), host).toEqual([403, "host_refused"]);
    expect(await refusal({ origin: `https://127.0.0.1:${remote.port}` })).toEqual([403, "origin_refused"]);
    expect(await refusal({ origin: "null" })).toEqual([403, "origin_refused"]);
    expect(await refusal({ "sec-fetch-site": "cross-site" })).toEqual([403, "origin_refused"]);
    // Nor by way of a port of this host that leads to the socket.
    const bySocket = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        http
          .get({ socketPath: world.home.socket, path: "/v1/apps", headers }, (response) =>
            resolve(response.resume().statusCode),
          )
          .on("error", reject);
      });
    expect(await bySocket({})).toBe(200);
    expect(await bySocket({ host: "rebound.example" })).toBe(403);
    expect(await bySocket({ origin: "https://evil.example" })).toBe(403);
    expect(await bySocket({ host: "rebound.example", connection: "upgrade", upgrade: "perch-proxy" })).toBe(403);
  });

  it("makes no token without an end, nor one for longer than a year", async () => {
    const { expiresAt } = await world.client.call("createToken", { body: { name: "untold" } });
    const days = (Date.parse(expiresAt ?? "") - Date.now()) / 86_400_000;
    expect([days > 89, days <= 90]).toEqual([true, true]);
    const late = { name: "long", expiresAt: new Date(Date.now() + 400 * 86_400_000).toISOString() };
    await expect(world.client.call("createToken", { body: late })).rejects.toMatchObject({ code: "token_endless" });
    for (const time of ["never", "366d", "3650d"]) {
      const ended = await world.perch(["tokens", "create", "endless", "--expires", time]);
      expect([ended.code, ended.stderr], time).toEqual([2, expect.stringContaining("must end within 365 days")]);
    }
    expect((await world.json<{ name: string }[]>("tokens", "list")).map(({ name }) => name)).not.toContain("endless");
  });

  it("reads nothing of a request whose token is not taken", async () => {
    const body = { secrets: { A: "x".repeat(2_000_000) } };
    const answer = remote.ask({ method: "PUT", path: "/v1/apps/web/secrets", body });
    expect(
      await answer.then(
        ({ status }) => status,
        () => "cut",
      ),
    ).toSatisfy((got) => got === 401 || got === "cut");
  });

  it("keeps a token for one app to that app", async () => {
    await world.ok("apps", "create", "api");
    const set = (app: string) =>
      remote.ask({
        method: "PUT",
        path: `/v1/apps/${app}/secrets`,
        body: { secrets: { A: "1" } },
        token: tokens["web"],
      });
    expect((await set("web")).status).toBe(200);
    expect(await set("api")).toMatchObject({ status: 403, frames: [{ error: { code: "token_app" } }] });
    for (const path of [
      "/v1/status",
      "/v1/apps",
      "/v1/events",
      "/v1/events?subject=api",
      "/v1/machines",
      "/v1/clusters",
      "/v1/tokens",
    ])
      expect((await remote.ask({ path, token: tokens["web"] })).status, path).toBe(403);
    expect((await remote.ask({ path: "/v1/events?subject=web", token: tokens["web"] })).text).toContain(
      "secrets of web were set: A",
    );
    await world.ok("apps", "destroy", "api", "--yes");
  });

  it("refuses an expired token, and one that was revoked", async () => {
    const { token } = await world.client.call("createToken", {
      body: { name: "brief", expiresAt: new Date(Date.now() + 300).toISOString() },
    });
    expect((await remote.ask({ path: "/v1/apps", token })).status).toBe(200);
    await eventually(
      "it expires",
      async () => (await remote.ask({ path: "/v1/apps", token })).frames[0]?.error?.code === "token_expired",
    );
    const gone = await remote.token("gone");
    await world.ok("tokens", "revoke", "gone");
    expect(await remote.ask({ path: "/v1/apps", token: gone })).toMatchObject({
      status: 401,
      frames: [{ error: { code: "token_invalid" } }],
    });
  });

  it.each(["revoked", "expired"])("ends a feed at once when its token is %s", async (how) => {
    const expiresAt = how === "expired" ? { expiresAt: new Date(Date.now() + 3_000).toISOString() } : {};
    const { token } = await world.client.call("createToken", { body: { name: "feed", ...expiresAt } });
    let begun: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (begun = resolve));
    const feed = remote.ask({ path: "/v1/events?follow=true", token, heard: () => begun() });
    await first;
    const since = performance.now();
    if (how === "revoked") await world.client.call("revokeToken", { params: { token: "feed" } });
    const { status, frames } = await feed;
    const ms = performance.now() - since;
    expect(status).toBe(200);
    expect(frames.at(-1)).toMatchObject({ error: { code: `token_${how}` } });
    expect(ms).toBeLessThan(10_000);
    process.stderr.write(`the last word of a feed whose token is ${how}: ${Math.round(ms)} ms\n`);
    if (how === "expired") await world.client.call("revokeToken", { params: { token: "feed" } });
  });

  it("shuts out who guesses, for whom no token is good then", async () => {
    const from = "127.9.9.9";
    for (let count = 0; count < 10; count++)
      expect((await remote.ask({ path: "/v1/apps", token: "guess", from })).status).toBe(401);
    const { status, frames } = await remote.ask({ path: "/v1/apps", token: tokens["admin"], from });
    expect([status, frames[0]?.error?.code]).toEqual([429, "too_many_requests"]);
    expect((await remote.ask({ path: "/v1/apps", token: tokens["admin"] })).status).toBe(200);
    expect(await world.ok("events")).toContain(
      "127.9.9.9 gave 10 wrong tokens within a minute and is shut out for 60 s",
    );
  });

  it("says nothing to a client without TLS, or with an old one, or that trusts another authority", async () => {
    const plain = new Promise((resolve) => {
      http
        .get({ host: "127.0.0.1", port: remote.port, path: "/v1/apps" }, (response) => resolve(response.statusCode))
        .on("error", () => resolve("cut"));
    });
    expect(await plain).toBe("cut");
    const dial = (options: tls.ConnectionOptions) =>
      new Promise((resolve) => {
        const socket = tls.connect({ host: "127.0.0.1", port: remote.port, ca: remote.authority, ...options }, () =>
          resolve(socket.getProtocol()),
        );
        socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.once("secureConnect", () => socket.destroy());
      });
    expect(await dial({ servername: "_perchd.internal" })).toBe("TLSv1.3");
    expect(await dial({ servername: "_perchd.internal", maxVersion: "TLSv1.2" })).toMatch(/ERR_SSL|ECONNRESET/);
    expect(await dial({ servername: "pg.internal" })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await dial({ servername: "_perchd.internal", ca: [] })).toBe("SELF_SIGNED_CERT_IN_CHAIN");
  });

  it("serves others while clients are slow, and hangs up on those", async () => {
    const silent = connect(remote.port, "127.0.0.1");
    const drip = tls.connect(
      { host: "127.0.0.1", port: remote.port, ca: remote.authority, servername: "_perchd.internal" },
      () => drip.write("GET /v1/apps HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "),
    );
    for (const socket of [silent, drip]) socket.on("error", () => undefined).resume();
    const ended = [silent, drip].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
    expect((await remote.ask({ path: "/v1/apps", token: tokens["read"] })).status).toBe(200);
    const since = performance.now();
    await Promise.all(ended);
    expect(performance.now() - since).toBeLessThan(10_000);
    expect((await remote.ask({ path: "/v1/apps", token: tokens["read"] })).status).toBe(200);
  });
});
