import { spawn } from "node:child_process";
import { appendFileSync, openSync, readFileSync, statSync } from "node:fs";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { askNameServer } from "../../../src/dns/ask.ts";
import { connectNameServer, type NameServerClient } from "../../../src/dns/control.ts";
import { startNameServer } from "../../../src/dns/start.ts";
import { isCode } from "../../../src/errors/error.ts";
import { isAlive } from "../../../src/host/process/process.ts";
import { ourProgram } from "../../../src/host/process/program.ts";
import { leader, london, zoneData } from "../../dns/zone-fixture.ts";
import { ordinary, otherServer, type OtherServer } from "../../dns/other-server.ts";
import { freePort } from "../../support/free-port.ts";
import { recordProcess } from "../../support/processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

describe("the name server's process", () => {
  const directory = temporaryDirectory();
  const control = join(directory, "dns.sock");
  const log = join(directory, "log");
  let port: number;
  let client: NameServerClient;
  let host: OtherServer;

  const bindings = () =>
    (["udp", "tcp"] as const).map((protocol) => ({ address: "::1", port, region: "lhr", protocol }));
  const start = (more: object = {}) =>
    startNameServer(
      {
        zone: zoneData,
        control,
        enter: [],
        version: "1.2.3",
        resolvConf: join(directory, "resolv.conf"),
        resolverPort: host.port,
        bindings: bindings(),
        ...more,
      },
      openSync(log, "a"),
    );
  const dig = (name: string, tcp = false) => askNameServer([], { name, type: "AAAA", server: "::1", port, tcp });

  beforeAll(async () => {
    port = await freePort();
    host = await otherServer("127.0.0.1", 0, ordinary);
    appendFileSync(join(directory, "resolv.conf"), "nameserver 127.0.0.1\n");
    client = await start();
    await recordProcess((await client.ping()).pid);
  });
  afterAll(() => host.close());

  it("answers over UDP and TCP as soon as it is said to have started", async () => {
    for (const tcp of [false, true]) {
      const answer = await dig("global.pg.internal", tcp);
      expect(answer).toMatchObject({ name: "global.pg.internal", type: "AAAA", status: "NOERROR", server: "::1" });
      expect(answer.answers.slice(0, 2).map(({ data }) => data)).toEqual([london, leader]);
      expect((await dig("pg.internal", tcp)).answers.map(({ data }) => data)).toEqual([london]);
    }
  });

  it("tells who it is, and counts what it was asked", async () => {
    const before = await client.ping();
    await dig("pg.internal");
    expect(await client.ping()).toEqual({
      ...before,
      version: "1.2.3",
      succession: "none",
      queries: before.queries + 1,
    });
    expect(statSync(control).mode & 0o777).toBe(0o600);
  });

  it("answers from the new zone as soon as it has taken it, and keeps the old one when it is no zone", async () => {
    const { serial } = await client.set({ ...zoneData, apps: [] });
    expect((await dig("pg.internal")).status).toBe("NXDOMAIN");
    await expect(client.set({ ...zoneData, peers: [{ name: "x", address: "nonsense" }] })).rejects.toThrow(
      'peers[0].address "nonsense" is no IPv6 address',
    );
    expect((await client.ping()).serial).toBe(serial);
    expect(await client.set(zoneData)).toEqual({ serial: serial + 1 });
    expect((await dig("global.pg.internal")).answers).toHaveLength(4);
  });

  it("asks the host's resolver for other names", async () => {
    const answer = await askNameServer([], { name: "example.com", type: "A", server: "::1", port, tcp: false });
    expect(answer.answers).toEqual([{ name: "example.com", type: "A", ttl: 60, data: "192.0.2.1" }]);
    expect(host.asked).toEqual(["udp example.com"]);
  });

  it("bears rude control clients: no JSON, no end of line, too long a line, a closed ear", async () => {
    const rude = async (text: string) => {
      const socket = createConnection(control);
      socket.on("error", () => undefined);
      await once(socket, "connect");
      socket.write(text);
      return socket;
    };
    const nonsense = await rude('{"set"\n[]\n{}\n');
    let said = "";
    nonsense.on("data", (chunk) => (said += String(chunk)));
    expect(await ask(() => (said.split("\n").length > 3 ? true : undefined), { everyMs: 10, withinMs: 20_000 })).toBe(
      true,
    );
    expect(said.split("\n").filter((line) => line.includes('"error"'))).toHaveLength(3);
    const long = await rude("x".repeat(9_000_000));
    await new Promise((resolve) => long.resume().once("close", resolve));
    const half = await rude('{"ping": tr');
    const deaf = await rude('{"ping": true}\n'.repeat(1_000));
    deaf.destroy();
    expect((await client.ping()).version).toBe("1.2.3");
    for (const socket of [nonsense, half]) socket.destroy();
  });

  it("holds its sockets alone: a second one does not start and says why", async () => {
    const second = start({ control: join(directory, "second.sock") });
    await expect(second).rejects.toSatisfy((error) => isCode(error, "name_server_failed"));
    expect(readFileSync(log, "utf8")).toContain("EADDRINUSE");
    expect((await dig("global.pg.internal")).answers).toHaveLength(4);
  });

  it("outlives whoever started it, killed without a word", async () => {
    const [program = "", ...args] = ourProgram(import.meta.url, "starter");
    const settings = {
      zone: zoneData,
      control: join(directory, "orphan.sock"),
      enter: [],
      version: "1",
      bindings: [{ address: "::1", port: await freePort(), protocol: "udp" }],
    };
    const starter = spawn(program, [...args, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    starter.stdout.on("data", (chunk) => (said += String(chunk)));
    const pid = Number(await ask(() => /^pid (\d+)$/m.exec(said)?.[1], { everyMs: 10, withinMs: 20_000 }));
    await recordProcess(pid);
    starter.kill("SIGKILL");
    await once(starter, "exit");
    const adopted = await connectNameServer(settings.control);
    expect(await adopted.ping()).toMatchObject({ pid, serial: 1 });
    expect(await adopted.set(zoneData)).toEqual({ serial: 2 });
    await adopted.stop();
  });

  it("is told to stop, lets go of its sockets, and may be started again over a socket left behind", async () => {
    const identity = await recordProcess((await client.ping()).pid);
    await client.stop();
    expect(
      await ask(async () => ((await isAlive(identity)) ? undefined : true), { everyMs: 10, withinMs: 20_000 }),
    ).toBe(true);
    await expect(connectNameServer(control)).rejects.toSatisfy((error) => isCode(error, "name_server_lost"));
    client = await start();
    const again = await recordProcess((await client.ping()).pid);
    process.kill(again.pid, "SIGKILL");
    await client.closed;
    await expect(client.ping()).rejects.toSatisfy((error) => isCode(error, "name_server_lost"));
    await expect(dig("pg.internal")).rejects.toThrow("::1 does not answer");
    client = await start();
    expect((await dig("global.pg.internal")).answers).toHaveLength(4);
    await client.stop();
  });
});
