import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { signalProcess } from "../../src/host/process/process.ts";
import { known, killHard, netnsOf } from "../support/traces.ts";
import { runToEnd } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** The promise: when perchd is killed, nothing is held shut for longer. */
const heldAtMostMs = 8_000;

/** What holds connections in the kernel ends by itself, whoever began it and however that one ended. */
describe.skipIf(process.getuid?.() !== 0 || missingTools("ip", "nft", "unshare", "nsenter"))(
  "connections that are held while perchd is gone",
  () => {
    const world = worldIn();
    const { ok } = world;

    beforeAll(async () => {
      await ok("up");
      await world.create();
      await ok("machine", "clone", (await world.leader()).id, "--region", "ams");
    });
    afterAll(async () => {
      await ok("up");
      await ok("down");
    });

    const inside = (argv: string[]) => runToEnd(["nsenter", `--net=${netnsOf(world.root)}`, "--", ...argv]);
    /** Whether a new connection to 5432 is answered by a server: it says "N" or "S" to whoever asks for TLS. */
    const connects = async (address: string): Promise<string> => {
      const program = `const s = require("net").connect(5432, ${JSON.stringify(address)});
s.on("connect", () => s.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))).on("data", (d) => { console.log("answered " + d); s.destroy(); }).on("error", (e) => console.log(e.code));`;
      return (await inside([process.execPath, "-e", program])).stdout.trim();
    };
    const held = async () =>
      (await inside(["nft", "list", "set", "inet", "perch", "held_addresses"])).stdout.includes("elements");
    const openAgain = async (address: string) => {
      const { ms } = await eventually(
        "5432 opens",
        async () => (await connects(address)).startsWith("answered"),
        20_000,
      );
      return ms;
    };
    const killBackend = async () => {
      const { id } = await world.leader();
      const session = await world.connect(id);
      const { rows } = await session.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await killHard([await known(rows[0]?.pid)]);
    };

    it("wait for eight seconds at most when perchd is killed while the leader restarts itself", async () => {
      const { address } = await world.leader();
      const perchd = await known((await world.status()).daemon.pid);
      await killBackend();
      await ask(async () => ((await held()) ? true : undefined), { everyMs: 2, withinMs: 2_000 });
      await killHard([perchd]);
      const waiting = connects(address);
      expect(await openAgain(address)).toBeLessThan(heldAtMostMs);
      // Who came while it was shut is let out, or told; never neither.
      expect(await waiting).toMatch(/^answered|EHOSTUNREACH/);
      await ok("up");
      expect(await connects(address)).toMatch(/^answered/);
    });

    it("wait no longer where perchd is stopped by a signal, and are held again by it once it goes on", async () => {
      const { address } = await world.leader();
      const perchd = await known((await world.status()).daemon.pid);
      await killBackend();
      await ask(async () => ((await held()) ? true : undefined), { everyMs: 2, withinMs: 2_000 });
      await signalProcess(perchd, "SIGSTOP");
      expect(await openAgain(address)).toBeLessThan(heldAtMostMs);
      await signalProcess(perchd, "SIGCONT");
      await eventually("perchd answers", async () => (await world.leader()).state === "started");
      const asked = world.client.call("failover", { params: { cluster: "pg" }, body: {} });
      const during = await Promise.all([connects(address), connects(address), connects(address)]);
      expect(during.filter((said) => !said.startsWith("answered"))).toEqual([]);
      await asked;
    });

    it("wait no longer where perchd is killed in the middle of a switchover", async () => {
      await eventually("a replica streams", async () => (await world.replica()).state === "streaming", 60_000);
      const before = await world.leader();
      const perchd = await known((await world.status()).daemon.pid);
      const asked = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
      await ask(async () => ((await held()) ? true : undefined), { everyMs: 2, withinMs: 20_000 });
      await killHard([perchd]);
      await asked;
      await eventually("nothing is held", async () => !(await held()), heldAtMostMs);
      await ok("up");
      const { ms } = await eventually(
        "5432 opens",
        async () => (await connects(before.address)).startsWith("answered"),
        20_000,
      );
      expect(ms).toBeLessThan(heldAtMostMs);
    });
  },
);
