import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../../src/base/deadline.ts";
import { connectNameServer } from "../../src/dns/control.ts";
import { zoneData } from "../dns/zone-fixture.ts";
import { repository } from "../support/perch.ts";
import { scratch } from "./sockets.ts";

/** The name server's own process, built, at a free port of ::1, with another server as the host's resolver. */
export interface OpenNameServer {
  pid: number;
  port: number;
  /** Gives how many messages it got, and its log. */
  stop(): Promise<{ queries: number; said: string }>;
}

export async function openNameServer(resolverPort: number, coverage: string): Promise<OpenNameServer> {
  const place = scratch();
  const path = (name: string) => join(place.path, name);
  const [control, settings, log] = [path("dns.sock"), path("dns.json"), path("log")];
  const probe = createSocket("udp6").bind(0, "::1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  const bindings = (["udp", "tcp"] as const).map((protocol) => ({ address: "::1", port, region: "ams", protocol }));
  writeFileSync(path("resolv.conf"), "nameserver 127.0.0.1\n");
  writeFileSync(
    settings,
    JSON.stringify({
      zone: zoneData,
      control,
      enter: [],
      version: "0",
      resolvConf: path("resolv.conf"),
      resolverPort,
      bindings,
    }),
  );
  const output = openSync(log, "a");
  const child = spawn(process.execPath, [join(repository, "dist-apart/dns/main.js"), settings], {
    stdio: ["ignore", output, output],
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
  });
  const ended = once(child, "exit");
  const server = await ask(() => connectNameServer(control).catch(() => undefined), { everyMs: 20, withinMs: 20_000 });
  if (server === undefined) throw new Error(`the name server did not start: ${readFileSync(log, "utf8")}`);
  return {
    pid: child.pid ?? 0,
    port,
    async stop() {
      const { queries } = await server.ping();
      await server.stop();
      await ended;
      const said = readFileSync(log, "utf8");
      place.remove();
      return { queries, said };
    },
  };
}
