import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { certificateFiles } from "../../src/postgres/instance/configure.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { identify } from "../../src/host/process/process.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/** Names are tested with the drivers; here clients that ask by address, of members that come later. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "a server asked by a bare address, with sslmode=verify-full,",
  () => {
    const world = worldIn();
    const authority = join(temporaryDirectory(), "ca.pem");

    /** The address of the server that the app meets there over a verified connection; undefined where it meets none. */
    async function answerAt(address: string, port: number): Promise<string | undefined> {
      const url = `"$(echo "$DATABASE_URL" | sed 's|@[^/]*/|@[${address}]:${port}/|')?sslmode=verify-full&sslrootcert=${authority}"`;
      const asked = await world.perch([
        "run",
        "-a",
        "web",
        "--",
        "sh",
        "-c",
        `psql ${url} -XAtc "SELECT host(inet_server_addr())"`,
      ]);
      return asked.code === 0 ? asked.stdout.trim() : undefined;
    }

    /** Who answers at every address: on 5432 that should be the leader, on 5433 the member itself. */
    async function answers(): Promise<{ found: unknown; right: unknown }> {
      const { members } = await world.cluster();
      const leader = await world.leader();
      const found: unknown[] = [];
      for (const { address } of members) found.push([await answerAt(address, 5432), await answerAt(address, 5433)]);
      return { found, right: members.map(({ address }) => [leader.address, address]) };
    }

    beforeAll(async () => {
      await world.ok("up");
      await world.create();
      await world.ok("apps", "create", "web");
      await world.ok("postgres", "attach", "pg", "--app", "web");
      writeFileSync(authority, await world.ok("certs", "ca"));
    });
    afterAll(() => world.ok("down"));

    it("is vouched for at a replica that was cloned a moment ago, and the leader went on for that", async () => {
      const leader = await world.leader();
      const session = await world.connect(leader.id);
      const began = "SELECT pg_postmaster_start_time()::text AS began";
      const { rows: before } = await session.query(began);
      await world.ok("machine", "clone", leader.id, "--region", "lhr");
      const { address } = await world.replica();
      await eventually(
        "the leader is certified for one more",
        async () => (await answerAt(address, 5432)) === leader.address,
        60_000,
      );
      const { found, right } = await answers();
      expect(found).toEqual(right);
      expect((await session.query(began)).rows).toEqual(before);
      await session.end();
    });

    it("is vouched for after the leader has changed", async () => {
      const { id } = await world.leader();
      await world.ok("postgres", "failover", "-a", "pg", "--allow-secondary-region");
      expect((await world.leader()).id).not.toBe(id);
      await eventually(
        "the old leader is a replica",
        async () => (await world.replica()).state === "streaming",
        60_000,
      );
      const { found, right } = await answers();
      expect(found).toEqual(right);
    });

    it("gets a certificate anew where a stranger's has come to lie", async () => {
      const { id, address } = await world.leader();
      const path = certificateFiles(layout(world.home, id)).certificate;
      const strange = await issueCertificate(await makeAuthority("another"), {
        commonName: "pg.internal",
        names: ["pg.internal"],
        addresses: [],
      });
      writeFileSync(path, strange.certificate); // in the file that is there, which keeps its owner
      await eventually("it has one of its own again", () => readFileSync(path, "utf8") !== strange.certificate, 60_000);
      await eventually("it shows it", async () => (await answerAt(address, 5433)) === address, 60_000);
      await world.ok("postgres", "restart", "-a", "pg");
      const { found, right } = await answers();
      expect(found).toEqual(right);
    });

    it.each([
      ["the authority below the root", []],
      ["the root", ["--root"]],
    ])(
      "gets another one when %s is replaced, with no session lost, and clients of the old root and of the new one go on",
      async (_what, flags) => {
        const leader = await world.leader();
        const session = await world.connect(leader.id);
        const path = certificateFiles(layout(world.home, leader.id)).certificate;
        const before = { served: readFileSync(path, "utf8"), root: await world.ok("certs", "ca") };
        writeFileSync(authority, before.root);
        expect(await world.ok("certs", "rotate", ...flags)).toContain("Replaced; 2 servers have a new certificate.");
        expect(readFileSync(path, "utf8")).not.toBe(before.served);
        const after = await world.ok("certs", "ca");
        expect(after === before.root).toBe(flags.length === 0);
        for (const root of [before.root, after]) {
          writeFileSync(authority, root);
          const { found, right } = await answers();
          expect(found).toEqual(right);
        }
        expect((await session.query<{ one: number }>("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
        await session.end();
        await eventually("the replica streams on", async () => (await world.replica()).state === "streaming", 60_000);
      },
    );

    it("is vouched for after perchd was killed and is back, by keys that lie nowhere in the clear", async () => {
      const { daemon } = await world.status();
      const perchd = await identify(daemon.pid);
      await killHard(perchd === undefined ? [] : [perchd]);
      await world.ok("up");
      writeFileSync(authority, await world.ok("certs", "ca"));
      const { found, right } = await answers();
      expect(found).toEqual(right);
      expect(readdirSync(join(world.root, "ca"))).toEqual(["ca.crt"]);
      for (const name of readdirSync(world.root).filter((file) => file.startsWith("perch.db")))
        expect(readFileSync(join(world.root, name), "latin1")).not.toContain("PRIVATE KEY");
    });
  },
);

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the authority of a home of 0.1.0", () => {
  it("is taken up with its certificate, and its key is in the clear no longer", async () => {
    const world = worldIn();
    const made = await makeAuthority("Perch of before");
    mkdirSync(join(world.root, "ca"), { mode: 0o700, recursive: true });
    writeFileSync(join(world.root, "ca", "ca.crt"), made.certificate, { mode: 0o644 });
    writeFileSync(join(world.root, "ca", "ca.key"), made.key, { mode: 0o600 });
    await world.ok("up");
    expect((await world.ok("certs", "ca")).trim()).toBe(made.certificate.trim());
    expect(existsSync(join(world.root, "ca", "ca.key"))).toBe(false);
    await world.ok("secrets", "rekey");
    await world.ok("certs", "rotate");
    expect((await world.ok("certs", "ca")).trim()).toBe(made.certificate.trim());
    await world.ok("down");
  });
});
