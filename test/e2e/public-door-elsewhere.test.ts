import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Exposure } from "../../src/api/schemas.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { type Account, canRead, ordinaryUser } from "../support/account.ts";
import { perchIn, repository, type RunAs, runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory, tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { processesOf } from "../support/traces.ts";
import { eventually } from "../support/world.ts";

/** Public doors where there is no right of root, and where there is no private network at all. */
interface Place {
  perch(args: readonly string[], options?: RunAs): ReturnType<ReturnType<typeof perchIn>>;
  json<T>(...args: string[]): Promise<T>;
  psql(query: string, password: string, text?: string): ReturnType<typeof runToEnd>;
  expose(...more: string[]): Promise<Exposure>;
  port: number;
}

async function placeIn(home: string, always: RunAs, up: readonly string[]): Promise<Place> {
  const perch = perchIn(home, { cwd: "/", ...always });
  const json = async <T>(...args: string[]) => JSON.parse(succeeded(await perch([...args, "--json"]))) as T;
  const port = (await freePort()) ?? 0;
  const authority = join(temporaryDirectory(), "ca.pem");
  succeeded(await perch(["up", ...up]));
  succeeded(
    await perch([
      "postgres",
      "create",
      "--name",
      "pg",
      "--password",
      "operator-password",
      "--initial-cluster-size",
      "2",
    ]),
  );
  writeFileSync(authority, succeeded(await perch(["certs", "ca"])));
  const url = `postgres://joe@db.example.com:${port}/postgres?hostaddr=127.0.0.1&sslrootcert=${authority}`;
  return {
    perch,
    json,
    port,
    psql: (query, password, text = "SELECT inet_client_addr()") =>
      runToEnd(["psql", `${url}&${query}`, "-XAtc", text], { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "10" } }),
    expose: (...more) =>
      json("postgres", "expose", "-a", "pg", "--hostname", "db.example.com", "--listen", `127.0.0.1:${port}`, ...more),
  };
}

/** What holds wherever there is a door. */
function holds(place: () => Place, home: string, source: RegExp): void {
  let password = "";

  it("lets in who verifies, refuses who does without TLS, and superusers", async () => {
    ({ password } = await place().json<{ password: string }>("postgres", "users", "create", "-a", "pg", "joe"));
    expect(await place().expose("--max-failures", "3")).toMatchObject({ state: "open" });
    expect(succeeded(await place().psql("sslmode=verify-full", password))).toMatch(source);
    expect((await place().psql("sslmode=disable", password)).stderr).toContain("no encryption");
    expect((await place().psql("sslmode=require&user=postgres", "operator-password")).stderr).toContain(
      "pg_hba.conf rejects connection",
    );
  });

  it("shuts out who guesses, and goes with perch down", async () => {
    for (const _ of [1, 2, 3])
      expect((await place().psql("sslmode=require", "guess")).stderr).toContain("password authentication failed");
    await eventually(
      "the guesser is shut out",
      async () => (await place().psql("sslmode=require", password)).code !== 0,
    );
    const [door] = await place().json<Exposure[]>("postgres", "exposures");
    expect(door?.shut).toHaveLength(1);
    succeeded(await place().perch(["down"]));
    expect((await place().psql("sslmode=require", password)).stderr).toContain("Connection refused");
    expect((await processesOf(home)).filter(({ command }) => command.includes("ingress/main"))).toEqual([]);
  });
}

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("the public door of an ordinary user", () => {
  const user: Account = ordinaryUser();
  const home = tempHome(user);
  let place: Place;

  beforeAll(async () => {
    if (!canRead(user, repository))
      throw new Error(`${user.name} cannot read ${repository}; clone it where every user can`);
    place = await placeIn(home, { as: user }, []);
  });

  it("is refused a port below 1024, and one that is taken, with the reason, and is not left half open", async () => {
    const refusal = async (listen: string) =>
      (await place.perch(["postgres", "expose", "-a", "pg", "--hostname", "db.example.com", "--listen", listen]))
        .stderr;
    expect(await refusal("127.0.0.1:443")).toMatch(/a port below 1024 needs root|another program listens/);
    expect(await refusal("203.0.113.254:5432")).toContain("this host does not have that address");
    expect(await refusal("localhost:5432")).toContain("the address is no IP address");
    expect(await place.json("postgres", "exposures")).toEqual([]);
  });

  holds(() => place, home, /:ffff:0:ffff:7f00:1\n$/);
});

describe.skipIf(missingTools("psql") || process.platform !== "linux")("the public door of portable mode", () => {
  const home = tempHome();
  let place: Place;

  beforeAll(async () => {
    place = await placeIn(home, {}, ["--portable"]);
  });

  holds(() => place, home, /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./);
});
