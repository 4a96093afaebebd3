import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, canRead, ordinaryUser } from "../support/account.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { perchIn, repository, succeeded } from "../support/perch.ts";
import { temporaryDirectory, tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

interface Dug {
  status: string;
  answers: { data: string }[];
}

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the networks of an ordinary user", () => {
  const user: Account = ordinaryUser();
  const home = tempHome(user);
  const perch = perchIn(home, { as: user, cwd: "/" });
  const ok = async (...words: string[]) => succeeded(await perch(words));

  beforeAll(async () => {
    if (!canRead(user, repository))
      throw new Error(`${user.name} cannot read ${repository}; clone it where every user can`);
    await ok("up");
    await ok("network", "create", "blue");
    await ok("postgres", "create", "--name", "pg", "--region", "ams", "--network", "blue");
    await ok("apps", "create", "web");
  });

  afterAll(async () => {
    succeeded(await perch(["down"]));
  });

  it("cannot reach each other either", async () => {
    const dug = JSON.parse(await ok("dig", "pg.internal", "--network", "blue", "--json")) as Dug;
    const route = await perch(["run", "-a", "web", "--", "ip", "-6", "route", "get", dug.answers[0]?.data ?? ""]);
    expect(route.stderr).toContain("No route to host");
    expect((JSON.parse(await ok("dig", "pg.internal", "--json")) as Dug).status).toBe("NXDOMAIN");
  });

  it("open the API to other hosts, each by itself", async () => {
    const listen = `127.0.0.1:${(await freePort()) ?? 0}`;
    await ok("remote", "on", "--listen", listen, "--network", "blue");
    const { token } = JSON.parse(await ok("tokens", "create", "laptop", "--network", "blue", "--json")) as {
      token: string;
    };
    const elsewhere = temporaryDirectory();
    chmodSync(elsewhere, 0o700);
    const clusters = await perchIn(elsewhere)(["--host", listen, "postgres", "list"], { env: { PERCH_TOKEN: token } });
    expect(succeeded(clusters)).toContain("pg");
    expect(await ok("remote", "status")).toContain("open to this host alone");
    expect(await ok("tokens", "list")).toContain("No tokens");
  });

  it("come back, and are gone when they are destroyed", async () => {
    await ok("down");
    await ok("up");
    expect(JSON.parse(await ok("network", "list", "--json"))).toMatchObject([
      { name: "default", state: "up", mode: "user" },
      { name: "blue", state: "up", mode: "user", clusters: 1 },
    ]);
    await ok("network", "destroy", "blue", "--force", "--yes");
    expect(existsSync(join(home, "networks", "blue"))).toBe(false);
  });
});
