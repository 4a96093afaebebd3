import { describe, expect, it } from "vitest";
import { type Route, type Scope, scopes } from "../../../src/api/route.ts";
import { routes } from "../../../src/api/routes.ts";
import type { TokenRecord } from "../../../src/model/records.ts";
import { type Asked, refusedByCluster, refusedByInput, refusedByScope } from "../../../src/server/remote/permit.ts";

const token = (scope: Scope, app?: string): TokenRecord => ({
  name: "t",
  scope,
  hash: "",
  createdAt: "2026-01-01T00:00:00.000Z",
  ...(app === undefined ? {} : { app }),
});

/** A request whose every name is `app`, and whose switches are off. */
const about = (app: string): Asked => ({
  params: { app, cluster: app, machine: `machine-of-${app}`, user: "u", database: "d", token: "t" },
  query: { app, subject: app },
  body: { app, name: "n" },
});
const appOfMachine = (id: string): string | undefined => /^machine-of-(.*)$/.exec(id)?.[1];

const refusal = (record: TokenRecord, route: Route, asked: Asked): string =>
  (refusedByScope(record, route) ?? refusedByInput(record, route, asked, appOfMachine))?.code ?? "may";

function words(text: string): string[] {
  return text.split(/\s+/);
}

/** What each route takes, said a second time and by hand. */
const expected: Record<string, readonly string[]> = {
  // Only on the machine itself: what needs a process or a terminal of it, what opens doors, and what makes tokens.
  machine: words(
    "shutdown proxy createPeer session expose unexpose createRun endRun openRemote closeRemote createToken rotateAuthority",
  ),
  read: words(`status events dig authority listApps doctor listSecrets watchSecrets listClusters showCluster clusterLogs
    listDatabases listUsers listSettings listAttachments listExposures listMachines showRemote showPool listPeers`),
  deploy: words("setSecrets unsetSecrets attach rotateAttachment detach"),
  admin:
    words(`createApp destroyApp createCluster destroyCluster restartCluster failover setSynchronous setPool removePool removePeer createDatabase dropDatabase
    createUser dropUser rotateUser limitAttachment updateSettings cloneMachine startMachine stopMachine destroyMachine listTokens revokeToken`),
};
const all = Object.entries<Route>(routes);
/** Told by their summaries: what says nothing of other apps to a token that is for one. */
const aboutNoApp = ["authority"];

describe("what a token may do", () => {
  it("is said for every route; one that says nothing is for the machine alone", () => {
    const said = new Set(Object.values(expected).flat());
    const unsaid = all.filter(([name, route]) => !said.has(name) && route.remote !== undefined).map(([name]) => name);
    expect(unsaid).toEqual([]);
    expect(said.size).toBeGreaterThan(45);
  });

  it.each(scopes)("with the scope %s is what the table says, and nothing else", (scope) => {
    for (const [name, route] of all) {
      const needed = Object.keys(expected).find((word) => expected[word]?.includes(name)) ?? "machine";
      const may = needed !== "machine" && scopes.indexOf(scope) >= scopes.findIndex((one) => one === needed);
      expect(refusal(token(scope), route, about("web")), `${scope}: ${name}`).toBe(
        may ? "may" : needed === "machine" ? "machine_only" : "token_scope",
      );
    }
  });

  it.each(scopes)("with the scope %s for one app is that for its own, and nothing for another or for all", (scope) => {
    let own = 0;
    for (const [name, route] of all) {
      const whole = refusal(token(scope), route, about("web"));
      const mine = refusal(token(scope, "web"), route, about("web"));
      expect(["token_app", whole], `${scope}: ${name}`).toContain(mine);
      if (mine === "may") own += 1;
      const others = refusal(token(scope, "web"), route, about("api"));
      expect(others, `${scope} of web: ${name} of api`).toBe(
        whole === "may" && !aboutNoApp.includes(name) ? "token_app" : whole,
      );
      const none: Asked = { params: {}, query: {}, body: {} };
      if (!aboutNoApp.includes(name)) expect(refusal(token(scope, "web"), route, none), name).not.toBe("may");
    }
    expect(own).toBeGreaterThan(10);
  });

  it("stops at what lets one app into another's data, unless it is admin", () => {
    for (const [name, switched] of [
      ["attach", "superuser"],
      ["attach", "existingDatabase"],
      ["detach", "dropDatabase"],
    ] as const) {
      const asked = { ...about("web"), body: { app: "web", [switched]: true } };
      expect(refusal(token("deploy"), routes[name], asked)).toBe("token_scope");
      expect(refusal(token("deploy", "web"), routes[name], asked)).toBe("token_scope");
      expect(refusal(token("admin", "web"), routes[name], asked)).toBe("may");
      expect(refusal(token("deploy", "web"), routes[name], about("web"))).toBe("may");
    }
    for (const connectionLimit of [-1, 5]) {
      const asked = { ...about("web"), body: { app: "web", connectionLimit } };
      expect(refusal(token("deploy"), routes.attach, asked)).toBe("token_scope");
      expect(refusal(token("admin"), routes.attach, asked)).toBe("may");
    }
  });

  it.each(scopes)(
    "with the scope %s for one app attaches it only to clusters where it is attached already",
    (scope) => {
      const asked = { ...about("web"), params: { cluster: "pg" } };
      const code = (record: TokenRecord, route: Route, attachedTo: string[]) =>
        refusedByCluster(record, route, asked, attachedTo)?.code;
      expect(code(token(scope, "web"), routes.attach, [])).toBe("token_cluster");
      expect(code(token(scope, "web"), routes.attach, ["other", "pg2"])).toBe("token_cluster");
      expect(code(token(scope, "web"), routes.attach, ["other", "pg"])).toBeUndefined();
      expect(code(token(scope), routes.attach, [])).toBeUndefined();
      expect(code(token(scope, "web"), routes.listClusters, [])).toBeUndefined();
    },
  );

  it("stops at what perchd would run a program by, for every scope", () => {
    for (const record of [token("admin"), token("admin", "pg")]) {
      const asked = { ...about("pg"), body: { name: "pg", region: "ams", binaries: "/tmp/evil" } };
      expect(refusal(record, routes.createCluster, asked)).toBe("machine_only");
      expect(refusal(record, routes.createCluster, { ...asked, body: { ...asked.body, binaries: "" } })).toBe(
        "machine_only",
      );
    }
    expect(refusal(token("admin"), routes.createCluster, about("pg"))).toBe("may");
  });

  it("stops at a setting by which PostgreSQL runs a program where that is perchd's own user", () => {
    const asked = (set: Record<string, string>): Asked => ({ ...about("pg"), body: { set, unset: [] } });
    const code = (set: Record<string, string>, oneUser: boolean) =>
      refusedByInput(token("admin"), routes.updateSettings, asked(set), appOfMachine, oneUser)?.code;
    for (const set of [
      { work_mem: "4MB", Archive_Command: "touch /tmp/x" },
      { "plperl.on_init": "1" },
      { shared_preload_libraries: "/tmp/x" },
    ]) {
      expect(code(set, true), JSON.stringify(set)).toBe("machine_only");
      expect(code(set, false), JSON.stringify(set)).toBeUndefined();
    }
    expect(
      code({ work_mem: "4MB", shared_preload_libraries: "pg_stat_statements", "app.tenant": "x" }, true),
    ).toBeUndefined();
  });

  it("stops at a superuser of SQL where that one's programs run as perchd's own user", () => {
    const asked = { ...about("web"), body: { app: "web", name: "boss", superuser: true } };
    for (const route of [routes.attach, routes.createUser]) {
      expect(refusedByInput(token("admin"), route, asked, appOfMachine, true)?.code).toBe("machine_only");
      expect(refusedByInput(token("admin"), route, asked, appOfMachine, false)).toBeUndefined();
      expect(
        refusedByInput(token("admin"), route, { ...asked, body: { app: "web", superuser: false } }, appOfMachine, true),
      ).toBeUndefined();
    }
  });
});
