import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { prepareDirectories } from "../../../src/daemon/prepare.ts";
import { kernelText } from "../../../src/host/files/kernel-text.ts";
import { removeTree } from "../../../src/host/files/files.ts";
import { run } from "../../../src/host/process/command.ts";
import { findHome } from "../../../src/host/system/home.ts";
import { openNamespace } from "../../../src/network/choose.ts";
import { type KernelKeeper, keepKernel } from "../../../src/network/kernel/supervisor.ts";
import { type KernelWatch, watchKernel } from "../../../src/network/kernel/watch.ts";
import type { Namespace } from "../../../src/network/namespace.ts";
import { tempHome } from "../../support/temporary.ts";
import { missingTools } from "../../support/tools.ts";

/** `nft monitor`, started by this process. */
function isOurs(pid: string): boolean {
  const [words, stat] = ["cmdline", "stat"].map((file) => kernelText(`/proc/${pid}/${file}`) ?? "");
  return words === "nft\0monitor\0" && stat?.split(") ").at(-1)?.split(" ")[1] === String(process.pid);
}

describe.skipIf(missingTools("ip", "nft", "nsenter", "unshare", "setpriv"))(
  "what the kernel says of its changes",
  () => {
    const home = findHome({ PERCH_HOME: tempHome() });
    let namespace: Namespace;
    let watch: KernelWatch;
    let heard = 0;
    const inside = (...argv: string[]) => run(namespace.place.tool(argv));
    const hearing = () => ask(() => (watch.hears() ? true : undefined), { everyMs: 100, withinMs: 20_000 });

    beforeAll(async () => {
      await prepareDirectories(home);
      ({ namespace } = await openNamespace(home, { portable: false, postgres: undefined }));
      watch = watchKernel(namespace.place, () => heard++);
      if ((await hearing()) !== true) throw new Error("nothing is heard of the kernel");
    });
    afterAll(async () => {
      watch.stop();
      await namespace.remove();
      await removeTree(home.runtime);
    });

    it.each([
      ["an address", ["ip", "-6", "address", "add", "fdaa:9::1/128", "dev", "lo"]],
      ["the MTU of a link", ["ip", "link", "set", "lo", "mtu", "60000"]],
      ["a route", ["ip", "-6", "route", "add", "unreachable", "fdaa:9::/64"]],
      ["a rule of IPv6", ["ip", "-6", "rule", "add", "preference", "77", "table", "5"]],
      ["a table of nftables", ["nft", "add", "table", "inet", "stranger"]],
      ["the whole ruleset", ["nft", "flush", "ruleset"]],
    ])("is heard: %s", async (_what, argv) => {
      const before = heard;
      await inside(...argv);
      expect(await ask(() => (heard > before ? true : undefined), { everyMs: 10, withinMs: 10_000 })).toBe(true);
    });

    it.each(["SIGSTOP", "SIGKILL"] as const)(
      "is not relied on after %s of who tells it, until it is told again",
      async (signal) => {
        const teller = readdirSync("/proc").find((pid) => /^\d+$/.test(pid) && isOurs(pid));
        process.kill(Number(teller), signal);
        expect(await ask(() => (watch.hears() ? undefined : true), { everyMs: 10, withinMs: 10_000 })).toBe(true);
        expect(await hearing()).toBe(true);
        const before = heard;
        await inside("nft", "add", "table", "inet", signal.toLowerCase());
        expect(await ask(() => (heard > before ? true : undefined), { everyMs: 10, withinMs: 10_000 })).toBe(true);
      },
    );

    it("has what is gone set again without a turn of the supervisor's", async () => {
      let sets = 0;
      const address = "address add fdaa:9::2/128 dev lo";
      const claim = {
        name: "an address",
        ip: address,
        set: async () => {
          sets++;
          await inside("ip", "-6", ...address.split(" "));
        },
      };
      const keeper: KernelKeeper = keepKernel({
        place: namespace.place,
        enterable: () => Promise.resolve(false),
        claims: () => [claim],
        say: () => undefined,
      });
      try {
        await keeper.tend();
        expect(sets).toBe(1);
        await ask(() => undefined, { everyMs: 100, withinMs: 3_000 }); // until its own programs listen
        await inside("ip", "-6", "address", "delete", "fdaa:9::2/128", "dev", "lo");
        expect(await ask(() => (sets === 2 ? true : undefined), { everyMs: 20, withinMs: 10_000 })).toBe(true);
        expect(await keeper.look()).toEqual([]);
      } finally {
        keeper.stop();
      }
    });
  },
);
