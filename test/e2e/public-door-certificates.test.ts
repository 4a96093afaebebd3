import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Exposure } from "../../src/api/schemas.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { type Credentials, issueCertificate, makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * Which certificate stands behind a public door: the network's own, one that was given, one that was renewed.
 * PostgreSQL 18, for its TLS without a question.
 */
const hostname = "db.example.com";

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))(
  "the certificate behind a public door",
  () => {
    const world = worldIn();
    const { ok, json } = world;
    const directory = temporaryDirectory();
    const [cert, key, rootFile] = [
      join(directory, "chain.pem"),
      join(directory, "key.pem"),
      join(directory, "root.pem"),
    ];
    let authority: Credentials;
    let port = 0;
    let password = "";

    const expose = (...more: string[]) =>
      json<Exposure>(
        "postgres",
        "expose",
        "-a",
        "pg",
        "--hostname",
        hostname,
        "--listen",
        `127.0.0.1:${port}`,
        "--max-rate",
        "10000",
        ...more,
      );
    const exposeError = (...more: string[]) =>
      world.error("postgres", "expose", "-a", "pg", "--hostname", hostname, ...more);
    const psql = (query: string, text = "SELECT 1") =>
      runToEnd(
        [
          "psql",
          `postgres://joe@${hostname}:${port}/postgres?hostaddr=127.0.0.1&sslmode=verify-full&${query}`,
          "-XAtc",
          text,
        ],
        {
          env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "10" },
        },
      );
    /** Made by an authority of somebody else's. */
    const issue = async (names: readonly string[] = [hostname], now = new Date()) => {
      const made = await issueCertificate(authority, { commonName: names[0] ?? "", names, addresses: [] }, now);
      writeFileSync(key, made.key);
      writeFileSync(cert, `${made.certificate}\n${authority.certificate}\n`);
      return new X509Certificate(made.certificate).serialNumber;
    };
    /** TLS at once, without PostgreSQL's own question before it. */
    const direct = async (protocols: string[] = ["postgresql"]) => {
      const socket = connect({
        host: "127.0.0.1",
        port,
        servername: hostname,
        ca: authority.certificate,
        ALPNProtocols: protocols,
      });
      await once(socket, "secureConnect");
      return socket;
    };
    const serial = async () => {
      const socket = await direct();
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };

    beforeAll(async () => {
      port = (await freePort()) ?? 0;
      authority = await makeAuthority("Somebody else");
      writeFileSync(rootFile, authority.certificate);
      await ok("up");
      await world.create("pg", "--initial-cluster-size", "2", "--pg-version", "18");
      ({ password } = await json<{ password: string }>("postgres", "users", "create", "-a", "pg", "joe"));
    });

    afterAll(async () => {
      await ok("down");
    });

    it("is not taken when it cannot serve the name, and nothing is changed", async () => {
      const at = ["--listen", `127.0.0.1:${port}`];
      const given = [...at, "--cert", cert, "--key", key];
      expect(await exposeError(...given)).toMatchObject({
        code: "certificate_invalid",
        message: expect.stringContaining("it is not there"),
      });
      await issue(["db.example.org"]);
      expect((await exposeError(...given)).message).toContain("the certificate is for DNS:db.example.org");
      await issue([hostname], new Date(Date.now() - 400 * 86_400_000));
      expect((await exposeError(...given)).message).toContain("it expired at");
      await issue();
      writeFileSync(key, authority.key);
      expect((await exposeError(...given)).message).toContain("it is the key of another certificate");
      writeFileSync(key, "not a key");
      expect((await exposeError(...given)).message).toContain("it holds no private key in PEM");
      expect((await exposeError(...at, "--cert", cert)).message).toContain("belong together");
      expect((await exposeError(...at, "--acme-dir", directory)).message).toContain("there is neither");
      const made = await issueCertificate(authority, { commonName: hostname, names: [hostname], addresses: [] });
      writeFileSync(key, made.key);
      writeFileSync(cert, made.certificate);
      expect((await exposeError(...given)).message).toContain("does not lead to a known authority");
      expect(await json("postgres", "exposures")).toEqual([]);
    });

    it("is the one that was given, and replicas follow by it", async () => {
      const wanted = await issue();
      const door = await expose("--cert", cert, "--key", key);
      expect(door).toMatchObject({ state: "open", certificate: { from: "given", file: cert, note: null } });
      expect(await serial()).toBe(wanted);
      expect(succeeded(await psql(`sslrootcert=${rootFile}`))).toBe("1\n");
      await eventually("the replica streams", async () => (await world.replica()).state === "streaming");
      const { id } = await world.replica();
      await ok("machine", "stop", id);
      await ok("machine", "start", id);
      await eventually("the replica streams again", async () => (await world.replica()).state === "streaming");
    });

    it("is served by a member that is made now, too", async () => {
      await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
      const streaming = async () => (await world.cluster()).members.filter(({ state }) => state === "streaming").length;
      const { answer } = await eventually("both replicas stream", async () =>
        (await streaming()) === 2 ? 2 : undefined,
      );
      expect(answer).toBe(2);
    });

    it("is renewed from its files without a restart: who is in stays, who comes meets the new one", async () => {
      const { pid } = await world.leader();
      const session = await direct();
      const wanted = await issue();
      const { ms } = await eventually("the new certificate is served", async () => (await serial()) === wanted);
      process.stderr.write(`a renewed certificate is served after ${Math.round(ms)} ms\n`);
      expect((await world.leader()).pid).toBe(pid);
      expect(session.destroyed).toBe(false);
      session.destroy();
    });

    it("stays the one of before when a broken one comes, which exposures says", async () => {
      const before = await serial();
      writeFileSync(cert, "half a file");
      const { answer } = await eventually("it is said", async () => {
        const [door] = await json<Exposure[]>("postgres", "exposures");
        return door?.certificate.note ?? undefined;
      });
      expect(answer).toContain("it holds no certificate in PEM");
      expect(await serial()).toBe(before);
      const wanted = await issue();
      await eventually("the next one is served", async () => (await serial()) === wanted);
    });

    it("is found where an ACME client keeps it", async () => {
      const at = join(directory, "letsencrypt/live", hostname);
      mkdirSync(at, { recursive: true });
      const made = await issueCertificate(authority, { commonName: hostname, names: [hostname], addresses: [] });
      writeFileSync(join(at, "fullchain.pem"), `${made.certificate}\n${authority.certificate}\n`);
      writeFileSync(join(at, "privkey.pem"), made.key);
      const door = await expose("--acme-dir", join(directory, "letsencrypt"));
      expect(door.certificate.file).toBe(join(at, "fullchain.pem"));
      expect(await serial()).toBe(new X509Certificate(made.certificate).serialNumber);
    });

    it("serves TLS that begins at once, for who names PostgreSQL's protocol, and nobody else", async () => {
      const socket = await direct();
      expect(socket.alpnProtocol).toBe("postgresql");
      const body = Buffer.from("user\0joe\0database\0postgres\0\0");
      const head = Buffer.alloc(8);
      head.writeInt32BE(body.length + 8);
      head.writeInt32BE(0x0003_0000, 4);
      socket.write(Buffer.concat([head, body]));
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString("latin1")).toMatch(/^R[\s\S]*SCRAM-SHA-256-PLUS/);
      socket.destroy();
      await expect(direct(["http/1.1"])).rejects.toThrow("no application protocol");
    });

    it("is the network's own again without the files, and without a door", async () => {
      await expose();
      const ca = join(directory, "ca.pem");
      writeFileSync(ca, await ok("certs", "ca"));
      expect(succeeded(await psql(`sslrootcert=${ca}`))).toBe("1\n");
      expect((await psql(`sslrootcert=${rootFile}`)).stderr).toContain("certificate verify failed");
      await eventually("the replica streams", async () => (await world.replica()).state === "streaming");
      await ok("postgres", "unexpose", "-a", "pg");
      await ok("apps", "create", "web");
      const inside = ["run", "-a", "web", "--env", `PGPASSWORD=${password}`, "--", "psql"];
      const url = `postgres://joe@pg.internal:5432/postgres?sslmode=verify-full&sslrootcert=${ca}`;
      expect(await ok(...inside, url, "-XAtc", "SELECT 1")).toBe("1\n");
    });
  },
);
