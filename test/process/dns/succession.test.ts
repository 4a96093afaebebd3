import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { appendFileSync, openSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askNameServer } from "../../../src/dns/ask.ts";
import { connectNameServer, type NameServerClient } from "../../../src/dns/control.ts";
import { startNameServer, succeedNameServer } from "../../../src/dns/start.ts";
import { isCode } from "../../../src/errors/error.ts";
import { awaitEnd, isAlive } from "../../../src/host/process/process.ts";
import { leader, london, zoneData } from "../../dns/zone-fixture.ts";
import { ordinary, otherServer, type OtherServer } from "../../dns/other-server.ts";
import { freePort } from "../../support/free-port.ts";
import { recordProcess } from "../../support/processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { eventually } from "../../support/world.ts";

/** What an upgrade of Perch does to the name server: one of the new version takes over from the one that runs. */
describe("a name server of another version", () => {
  const directory = temporaryDirectory();
  const control = join(directory, "dns.sock");
  const log = join(directory, "log");
  let port: number;
  let client: NameServerClient;
  let host: OtherServer;

  const settings = (version: string) => ({
    zone: { ...zoneData, apps: [] },
    control,
    enter: [],
    version,
    resolvConf: join(directory, "resolv.conf"),
    resolverPort: host.port,
    bindings: (["udp", "tcp"] as const).map((protocol) => ({ address: "::1", port, region: "lhr", protocol })),
  });

  beforeAll(async () => {
    port = await freePort();
    host = await otherServer("127.0.0.1", 0, ordinary);
    appendFileSync(join(directory, "resolv.conf"), "nameserver 127.0.0.1\n");
    client = await startNameServer(settings("1.0.0"), openSync(log, "a"));
    await recordProcess((await client.ping()).pid);
    await client.set(zoneData);
  });
  afterAll(async () => {
    await client.stop();
    host.close();
  });

  it("takes over the sockets and the zone, and nobody who asks meanwhile, by UDP or TCP, is left without an answer", async () => {
    const failures: string[] = [];
    const count = { ours: 0, others: 0, tcp: 0 };
    let asking = true;
    const again = async (what: keyof typeof count, once_: () => Promise<unknown>) => {
      while (asking) {
        await once_().then(
          () => count[what]++,
          (error: Error) => failures.push(`${what}: ${error.message}`),
        );
      }
    };
    const resolver = () => {
      // One try: a question that is lost is seen.
      const made = new Resolver({ timeout: 3_000, tries: 1 });
      made.setServers([`[::1]:${port}`]);
      return made;
    };
    const connected = async () => {
      const socket = createConnection({ host: "::1", port });
      await once(socket, "connect");
      socket.destroy();
    };
    const clients = [
      ...[1, 2, 3, 4]
        .map(() => resolver())
        .map((one) => again("ours", async () => expect(await one.resolve6("global.pg.internal")).toContain(leader))),
      again("others", () => resolver().resolve4("example.com")),
      again("tcp", connected),
    ];
    await eventually("questions are asked", () => count.ours > 100);

    for (const version of ["2.0.0", "1.0.0", "3.0.0"]) {
      const before = await recordProcess((await client.ping()).pid);
      const next = await succeedNameServer(client, settings(version));
      const after = await next.ping();
      await recordProcess(after.pid);
      expect(after).toMatchObject({ version, succession: "none" });
      expect(after.pid).not.toBe(before.pid);
      expect(await awaitEnd(before, 10_000), "the one before ends").toBe(true);
      client = next;
      const from = count.ours;
      await eventually("it is asked alone", () => count.ours > from + 100 && count.tcp > 0 && count.others > 0);
    }
    asking = false;
    await Promise.all(clients);
    process.stderr.write(`asked in three successions: ${JSON.stringify(count)}\n`);
    expect(failures).toEqual([]);
    expect(
      (await askNameServer([], { name: "pg.internal", type: "AAAA", server: "::1", port, tcp: true })).answers[0]?.data,
    ).toBe(london);
  });

  it("is found at the control socket from then on, which the one before has not taken away", async () => {
    const found = await connectNameServer(control);
    expect(await found.ping()).toMatchObject({ version: "3.0.0" });
    expect(await found.set(zoneData)).toMatchObject({ serial: expect.any(Number) as number });
    found.close();
  });

  it("that cannot start leaves the one before as it was", async () => {
    const before = await recordProcess((await client.ping()).pid);
    await client.succeed([process.execPath, join(directory, "no-such-program.js")]);
    await eventually("it is seen to have failed", async () => (await client.ping()).succession === "failed");
    expect(readFileSync(log, "utf8")).toMatch(/it was not taken over: Error: Cannot find module/);
    expect(await isAlive(before)).toBe(true);
    expect(
      (await askNameServer([], { name: "global.pg.internal", type: "AAAA", server: "::1", port, tcp: false })).answers,
    ).toHaveLength(4);

    await expect(succeedNameServer(client, { ...settings("4.0.0"), control: directory })).rejects.toSatisfy((error) =>
      isCode(error, "name_server_failed"),
    );
    expect(
      (await askNameServer([], { name: "global.pg.internal", type: "AAAA", server: "::1", port, tcp: false })).answers,
    ).toHaveLength(4);
  });
});
