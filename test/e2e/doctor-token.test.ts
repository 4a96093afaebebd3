import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/api/schemas/diagnosis.ts";
import { openRemote, type RemoteSide } from "../support/remote.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

/** A token of one app may set the URL that the doctor follows. What is told of where that leads must be nothing new. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch doctor, asked with a token of one app", () => {
  const world = worldIn();
  const servers: Server[] = [];
  let remote: RemoteSide;
  let token: string;

  beforeAll(async () => {
    await world.ok("up");
    await world.create("pg");
    await world.create("other");
    for (const [app, cluster] of [
      ["web", "pg"],
      ["shop", "other"],
    ] as const) {
      await world.ok("apps", "create", app);
      await world.ok("postgres", "attach", cluster, "--app", app);
    }
    remote = await openRemote(world);
    token = await remote.token("ci", "--scope", "deploy", "--app", "web");
  });
  afterAll(() => servers.forEach((server) => server.close()));

  const diagnosis = async (variable: string): Promise<Diagnosis> => {
    const { status, text } = await remote.ask({ path: `/v1/apps/web/doctor?variable=${variable}`, token });
    expect(status, text).toBe(200);
    return JSON.parse(text) as Diagnosis;
  };
  const ofUrl = async (url: string): Promise<Diagnosis> => {
    await world.client.call("setSecrets", { params: { app: "web" }, body: { secrets: { TRIED: url } } });
    return diagnosis("TRIED");
  };

  const own = async (): Promise<string> =>
    (await world.ok("run", "-a", "web", "--", "printenv", "DATABASE_URL")).trim();

  it("tells of the app's own way to its own cluster", async () => {
    const { ok, lines } = await diagnosis("DATABASE_URL");
    expect([ok, lines.map(({ check }) => check)]).toEqual([
      true,
      expect.arrayContaining(["name", "port", "password", "leader"]),
    ]);
  });

  it("opens no port for it, of this host, of another app or of another cluster, and says the same of all", async () => {
    let met = 0;
    const server = createServer((socket) => void (met++, socket.destroy()));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "::", resolve));
    const { port } = server.address() as { port: number };
    const tried = [
      `postgres://web:x@localhost:${port}/web`,
      `postgres://web:x@localhost:1/web`,
      `postgres://web:x@127.0.0.1:${port}/web`,
      `postgres://web:x@pg.internal:22/web`,
      `postgres://web:x@other.internal:5432/web`,
      `postgres://shop:x@other.internal:5432/shop`,
      `postgres://postgres:x@pg.internal:5432/web`,
      `postgres://web:x@pg.internal.example:5432/web`,
      `postgres://web:x@[fdaa::3]:53/web`,
    ];
    const said = [];
    for (const url of tried) {
      const { lines } = await ofUrl(url);
      said.push(
        lines
          .filter(({ check }) =>
            ["url", "name", "address", "port", "tls", "password", "database", "role"].includes(check),
          )
          .map(({ check, sentence }) => `${check} ${sentence}`),
      );
    }
    expect(new Set(said.map((lines) => lines.join()))).toEqual(
      new Set([
        "url TRIED leads to no cluster that web is attached to, and a token is not told where else it comes to",
      ]),
    );
    expect(met).toBe(0);
  });

  it("attaches its app to no cluster that the app was not given before, under whatever name, and nothing is made there", async () => {
    const attach = (cluster: string, body: object) =>
      remote.ask({ method: "POST", path: `/v1/clusters/${cluster}/attachments`, token, body: { app: "web", ...body } });
    const made = async () =>
      JSON.stringify([
        await world.json("postgres", "users", "list", "-a", "other"),
        await world.json("postgres", "db", "list", "-a", "other"),
      ]);
    const before = await made();
    for (const body of [
      {},
      { variable: "OTHER_URL" },
      { database: "shop", user: "mine", variable: "OTHER_URL" },
      { ifNotAttached: true, variable: "OTHER_URL" },
    ]) {
      const { status, frames } = await attach("other", body);
      expect([status, frames.at(-1)?.error?.code], JSON.stringify(body)).toEqual([403, "token_cluster"]);
    }
    expect((await attach("nowhere", {})).frames.at(-1)?.error?.code).toBe("token_cluster");
    expect((await attach("other", { app: "shop" })).frames.at(-1)?.error?.code).toBe("token_app");
    expect(await made()).toBe(before);
    // Nor as a name that a rotation would make a login of another app's role, and let into its database.
    await world.ok("apps", "create", "bank");
    await world.ok("postgres", "attach", "pg", "--app", "bank");
    for (const user of ["bank.2", "bank.9"]) {
      const { frames } = await attach("pg", { variable: "BANK_URL", database: "mine", user });
      expect(frames.at(-1)?.error?.code, user).toBe("identifier_invalid");
    }
    expect((await world.error("postgres", "users", "create", "bank.3", "-a", "pg")).code).toBe("identifier_invalid");
    // Where it is attached already, it may have another database.
    expect((await attach("pg", { variable: "SECOND_URL", database: "second", user: "second" })).status).toBe(200);
  });

  it("reads no file that the URL names", async () => {
    const fifo = join(temporaryDirectory(), "fifo");
    execFileSync("mkfifo", [fifo]);
    const mine = await own();
    const said = [];
    for (const file of ["/etc/shadow", "/nowhere", "/dev/zero", fifo, world.home.key]) {
      const url = new URL(mine);
      url.searchParams.set("sslmode", "verify-full");
      url.searchParams.set("sslrootcert", file);
      const { lines } = await ofUrl(url.href);
      said.push(lines.find(({ check }) => check === "tls")?.sentence);
    }
    expect(new Set(said).size, said.join("; ")).toBe(1);
  });

  it("stands before no FIFO and no device that the owner's own URL names", async () => {
    const fifo = join(temporaryDirectory(), "fifo");
    execFileSync("mkfifo", [fifo]);
    const url = new URL(await own());
    url.searchParams.set("sslmode", "verify-full");
    for (const file of [fifo, "/dev/zero"]) {
      url.searchParams.set("sslrootcert", file);
      await world.client.call("setSecrets", { params: { app: "web" }, body: { secrets: { TRIED: url.href } } });
      const { lines } = await world.client.call("doctor", { params: { app: "web" }, query: { variable: "TRIED" } });
      expect(lines.find(({ check }) => check === "tls")).toMatchObject({
        state: "fail",
        sentence: expect.stringContaining("is no file of at most"),
      });
    }
  });
});
