import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { prepareDirectories } from "../../../src/daemon/prepare.ts";
import { removeTree, writeWhole } from "../../../src/host/files/files.ts";
import { run } from "../../../src/host/process/command.ts";
import { findHome } from "../../../src/host/system/home.ts";
import { openNamespace } from "../../../src/network/choose.ts";
import { enterNetwork } from "../../../src/network/enter.ts";
import { nsswitchText, resolvText } from "../../../src/network/lookup-files.ts";
import { networkInterface } from "../../../src/network/interface.ts";
import type { RouteTable } from "../../../src/network/rules.ts";
import type { Namespace } from "../../../src/network/namespace.ts";
import { portableNamespace } from "../../../src/network/portable.ts";
import { rootNamespace } from "../../../src/network/root-namespace.ts";
import { findUser } from "../../../src/host/system/users.ts";
import { recordProcess } from "../../support/processes.ts";
import { tempHome } from "../../support/temporary.ts";
import { missingTools } from "../../support/tools.ts";

const a = "fdaa:1:2:1::10";
const b = "fdaa:1:2:c::11";

const led = (leader: string): RouteTable => ({
  leaders: new Map([
    [a, leader],
    [b, leader],
  ]),
  held: new Set(),
  pools: new Map(),
});

/** A server that says its own address and port to whoever connects, inside the namespace. */
async function speaker(namespace: Namespace, address: string): Promise<void> {
  const program = `require("net").createServer((s)=>s.end(s.localAddress+" "+s.localPort)).listen(5433,${JSON.stringify(address)},()=>console.log("ready"))`;
  const [command = "", ...args] = namespace.place.tool([process.execPath, "-e", program]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await recordProcess(child.pid ?? 0);
}

const dial = async (namespace: Namespace, address: string): Promise<string> => {
  const program = `require("net").connect(5432,${JSON.stringify(address)}).on("error",(e)=>console.log(e.code)).on("data",(d)=>console.log(String(d)))`;
  return (await run(namespace.place.tool([process.execPath, "-e", program]))).stdout.trim();
};

describe.skipIf(missingTools("ip", "nft", "nsenter", "unshare"))("the namespace of a home", () => {
  const home = findHome({ PERCH_HOME: tempHome() });
  const opened: Namespace[] = [];
  const open = async () => {
    await prepareDirectories(home);
    const result = await openNamespace(home, {
      portable: false,
      postgres: process.getuid?.() === 0 ? await findUser("nobody") : undefined,
    });
    opened.push(result.namespace);
    expect(result.fellBack).toBeUndefined();
    return result;
  };
  afterAll(async () => {
    for (const namespace of opened) await namespace.remove();
    await removeTree(home.runtime);
  });

  it("is made once and found again", async () => {
    expect((await open()).fresh).toBe(true);
    expect((await open()).fresh).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "has PostgreSQL in no other group of its user's, whatever those may read",
    async () => {
      const listed = readFileSync("/etc/group", "utf8")
        .split("\n")
        .map((line) => line.split(":")[3]?.split(",")[0] ?? "");
      const users = await Promise.all(
        [...new Set(listed)].filter((name) => !["", "root"].includes(name)).map((name) => findUser(name)),
      );
      // On Debian the distribution's own user of PostgreSQL, which may read the keys of ssl-cert.
      const grouped = users.find((user) => user !== undefined) ?? (await findUser("nobody"));
      if (grouped === undefined) throw new Error("this host has no user but root");
      await open();
      for (const { place } of [rootNamespace(home, grouped), portableNamespace(grouped)]) {
        const said = await run(place.server(["id", "-G"]), { cwd: "/" });
        expect([place.mode, said.stdout]).toEqual([place.mode, `${grouped.gid}\n`]);
      }
    },
  );

  it("knows localhost by its IPv4 address, also for programs that ask for configured families only", async () => {
    const { namespace } = await open();
    const look = `const dns = require("dns"); dns.lookup("localhost", { family: 4, hints: dns.ADDRCONFIG }, (e, found) => console.log(e?.code ?? found));`;
    expect((await run(namespace.place.tool([process.execPath, "-e", look]))).stdout).toBe("127.0.0.1\n");
  });

  it("leads port 5432 of every member to the leader, and elsewhere after a change, with no word to connections under way", async () => {
    const { namespace } = await open();
    const network = networkInterface(namespace.place, "fdaa:1:2");
    await network.setAddresses(["fdaa::3", a, b]);
    await Promise.all([speaker(namespace, a), speaker(namespace, b)]);
    await network.setRoutes(led(a));
    expect([await dial(namespace, a), await dial(namespace, b)]).toEqual([`${a} 5433`, `${a} 5433`]);
    await network.setRoutes(led(b));
    expect([await dial(namespace, a), await dial(namespace, b)]).toEqual([`${b} 5433`, `${b} 5433`]);
    await network.setRoutes({ leaders: new Map(), held: new Set(), pools: new Map() });
    expect(await dial(namespace, a)).toBe("ECONNREFUSED");
  });

  it("keeps a connection waiting while there is no leader, and leads it to the next one as if it had just come", async () => {
    const { namespace } = await open();
    const network = networkInterface(namespace.place, "fdaa:1:2");
    await network.setRoutes({ leaders: new Map(), held: new Set([a, b]), pools: new Map() });
    const dialled = [dial(namespace, a), dial(namespace, b)];
    // It waits in the queue of a neighbour that does not exist.
    const waits = async () =>
      (await run(namespace.place.tool(["ip", "-6", "neighbour", "show"]))).stdout.includes("INCOMPLETE")
        ? true
        : undefined;
    expect(await ask(waits, { everyMs: 10, withinMs: 20_000 })).toBe(true);
    await network.setRoutes(led(b));
    expect(await Promise.all(dialled)).toEqual([`${b} 5433`, `${b} 5433`]);
    // A perchd that was killed meanwhile has left someone waiting: the next one lets them go.
    await network.setRoutes({ leaders: new Map(), held: new Set([a]), pools: new Map() });
    const left = dial(namespace, a);
    expect(await ask(waits, { everyMs: 10, withinMs: 20_000 })).toBe(true);
    network.stop();
    await networkInterface(namespace.place, "fdaa:1:2").setRoutes(led(a));
    expect(await left).toBe(`${a} 5433`);
  });

  it("holds for as long as perchd wants it, and tells who waited too long", async () => {
    const { namespace } = await open();
    const network = networkInterface(namespace.place, "fdaa:1:2");
    await network.setRoutes({ ...led(b), held: new Set([a, b]) });
    expect(await dial(namespace, a)).toBe("EHOSTUNREACH");
    await network.setRoutes(led(b));
    expect(await dial(namespace, a)).toBe(`${b} 5433`);
  });

  it("leads who waits to the last leader by itself when perchd is gone, and makes the next ones wait again", async () => {
    const { namespace } = await open();
    const killed = networkInterface(namespace.place, "fdaa:1:2");
    await killed.setRoutes({ ...led(b), held: new Set([a, b]) });
    killed.stop();
    const from = performance.now();
    expect(await Promise.all([dial(namespace, a), dial(namespace, b)])).toEqual([`${b} 5433`, `${b} 5433`]);
    expect(performance.now() - from).toBeLessThan(8_000);
    expect(await dial(namespace, a)).toBe(`${b} 5433`);
    // The gateway has answered meanwhile; for the next hold it must be silent again.
    const next = networkInterface(namespace.place, "fdaa:1:2");
    await next.setRoutes({ ...led(a), held: new Set([a]) });
    const waiting = dial(namespace, a);
    const waits = async () =>
      (await run(namespace.place.tool(["ip", "-6", "neighbour", "show"]))).stdout.includes("INCOMPLETE")
        ? true
        : undefined;
    expect(await ask(waits, { everyMs: 10, withinMs: 20_000 })).toBe(true);
    await next.setRoutes(led(b));
    expect(await waiting).toBe(`${b} 5433`);
  });

  it("keeps who waits in the queue while the map changes below the hold, and for the perchd that takes it over", async () => {
    const { namespace } = await open();
    const nft = async (text: string) => (await run(namespace.place.tool(["nft", "-f", "-"]), { input: text })).stdout;
    // Who comes out of the door is counted: one that came out while held was dropped, and waits for its TCP's second.
    await nft(`add table inet counts
add chain inet counts door { type filter hook prerouting priority -400; }
add rule inet counts door iifname "perch-door" tcp flags & (syn | ack) == syn counter
`);
    const out = async () => /packets (\d+)/.exec(await nft("list table inet counts\n"))?.[1];
    const [first, next] = [
      networkInterface(namespace.place, "fdaa:1:2"),
      networkInterface(namespace.place, "fdaa:1:2"),
    ];
    await first.setRoutes({ ...led(a), held: new Set([a, b]) });
    const dialled = [dial(namespace, a), dial(namespace, b)];
    const queued = async () =>
      /INCOMPLETE/.test((await run(namespace.place.tool(["ip", "-6", "neighbour", "show"]))).stdout);
    expect(await ask(async () => ((await queued()) ? true : undefined), { everyMs: 10, withinMs: 20_000 })).toBe(true);
    await first.setRoutes({ ...led(b), held: new Set([a, b]) });
    await first.setRoutes({ ...led(b), held: new Set([a, b]), pools: new Map([[a, b]]) });
    await first.setRoutes({ ...led(b), held: new Set([a, b, "fdaa:1:2:1::12"]) });
    first.stop();
    await next.setRoutes({ ...led(b), held: new Set([a, b]) });
    expect([await queued(), await out()]).toEqual([true, "0"]);
    await next.setRoutes(led(b));
    expect(await Promise.all(dialled)).toEqual([`${b} 5433`, `${b} 5433`]);
    await nft("delete table inet counts\n");
  });

  it("lets who waits for another cluster knock again when one has its leader", async () => {
    const { namespace } = await open();
    const network = networkInterface(namespace.place, "fdaa:1:2");
    const mine = new Map([[a, a]]);
    await network.setRoutes({ leaders: mine, held: new Set([a, b]), pools: new Map() });
    const waiting = dial(namespace, b);
    const waits = async () =>
      (await run(namespace.place.tool(["ip", "-6", "neighbour", "show"]))).stdout.includes("INCOMPLETE")
        ? true
        : undefined;
    expect(await ask(waits, { everyMs: 10, withinMs: 20_000 })).toBe(true);
    await network.setRoutes({ leaders: mine, held: new Set([b]), pools: new Map() });
    expect(await dial(namespace, a)).toBe(`${a} 5433`);
    await network.setRoutes(led(b));
    expect(await waiting).toBe(`${b} 5433`);
  });

  it("takes over the table of version 0.1.0, whose holds had no end", async () => {
    const { namespace } = await open();
    const old = `add table inet perch
delete table inet perch
add table inet perch
add map inet perch leader { typeof ip6 daddr : ip6 daddr . tcp dport; }
add set inet perch held { type ipv6_addr; }
add chain inet perch hold { type route hook output priority -300; policy accept; }
add chain inet perch door { type filter hook prerouting priority -300; policy accept; }
add element inet perch held { ${a} }
add rule inet perch hold tcp dport { 5432, 6432 } ip6 daddr @held tcp flags & (syn | ack) == syn notrack meta mark set 0x5043
add rule inet perch door iifname != { "lo", "perch-door" } tcp dport { 5432, 6432 } ip6 daddr @held tcp flags & (syn | ack) == syn drop
`;
    await run(namespace.place.tool(["nft", "-f", "-"]), { input: old });
    await networkInterface(namespace.place, "fdaa:1:2").setRoutes(led(b));
    expect(await dial(namespace, a)).toBe(`${b} 5433`);
  });

  it("is taken up as it is by a restarted perchd, which sets the same again", async () => {
    const { namespace } = await open();
    const network = networkInterface(namespace.place, "fdaa:1:2");
    await network.setAddresses(["fdaa::3", a, b]);
    await network.setRoutes(led(b));
    expect(await dial(namespace, a)).toBe(`${b} 5433`);
    const { stdout } = await run(namespace.place.tool(["nft", "-j", "list", "table", "inet", "perch"]));
    const rules = (JSON.parse(stdout) as { nftables: { rule?: unknown }[] }).nftables.filter(
      (item) => item.rule !== undefined,
    );
    expect(rules).toHaveLength(7); // two lead to the leader, two to the pooler, three are the door's
  });

  it("shows a run its own resolver and leaves the host's files alone", async () => {
    const { namespace } = await open();
    const files = { resolv: `${home.runtime}/r`, nsswitch: `${home.runtime}/n`, hosts: `${home.runtime}/h` };
    await writeWhole(files.resolv, resolvText("fdaa:1:2::3:c"), { mode: 0o644 });
    await writeWhole(files.nsswitch, nsswitchText("hosts: resolve"), { mode: 0o644 });
    await writeWhole(files.hosts, "127.0.0.1 localhost\n", { mode: 0o644 });
    const before = (await run(["cat", "/etc/resolv.conf"])).stdout;
    const enter = enterNetwork(namespace.place, files, [], {
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    });
    const inside = (await run([...enter, "sh", "-c", "cat /etc/resolv.conf; id -u; pwd"])).stdout;
    expect(inside).toContain("nameserver fdaa:1:2::3:c\n");
    expect(inside.trim().split("\n").slice(-2)).toEqual([String(process.getuid?.()), process.cwd()]);
    expect((await run(["cat", "/etc/resolv.conf"])).stdout).toBe(before);
  });

  it("runs PostgreSQL's programs as another user than root, who sees the home even below a shut directory", async () => {
    const { namespace } = await open();
    await writeWhole(`${home.postgres}/readable`, "yes", { mode: 0o644 });
    const { stdout } = await run(
      namespace.place.server(["sh", "-c", `id -u; cat '${namespace.place.seen(`${home.postgres}/readable`)}'`]),
    );
    const [uid, content] = stdout.split("\n");
    expect(uid).not.toBe("0");
    expect(content).toBe("yes");
  });

  it("is gone after its removal, which may be repeated", async () => {
    const { namespace } = await open();
    await namespace.remove();
    await namespace.remove();
    expect((await open()).fresh).toBe(true);
  });
});
