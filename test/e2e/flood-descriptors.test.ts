import { afterAll, describe, expect, it } from "vitest";
import { repository, runToEnd, succeeded } from "../support/perch.ts";
import { openRemote } from "../support/remote.ts";
import { bear } from "../support/rude/abuse.ts";
import { type Rude, rudeClient } from "../support/rude/rude.ts";
import { asking } from "../support/rude/vitals.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "nsenter", "unshare --net true"))("a perchd that may open little", () => {
  const world = worldIn();
  let rude: Rude | undefined;
  afterAll(async () => rude?.end());

  it("answers its owner, and does its work, beside more connections than it may open", async () => {
    const few = [
      "sh",
      "-c",
      'ulimit -n 160; exec "$@"',
      "sh",
      process.execPath,
      `${repository}/dist/cli/main.js`,
      "up",
    ];
    succeeded(await runToEnd(few, { env: { PERCH_HOME: world.root } }));
    const remote = await openRemote(world);
    rude = rudeClient();
    const borne = await bear({
      what: "3,000 connections to a perchd that may open 160 files",
      processes: { perchd: (await world.status()).daemon.pid },
      others: { owner: () => asking(() => world.client.call("listApps", {}), 50) },
      async deed() {
        for (const localAddress of ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"])
          await rude?.do("crowd", {
            to: { host: "127.0.0.1", port: remote.port, localAddress },
            count: 750,
            atOnce: 100,
          });
        await world.ok("apps", "create", "web");
        await world.ok("run", "-a", "web", "--", "true");
        await rude?.do("leave", {});
      },
    });
    expect(borne.vitals["perchd"]?.most.descriptors).toBeLessThan(100);
    expect(borne.others["owner"]?.answered).toBe(borne.others["owner"]?.asked);
    expect((await world.status()).apps.map(({ name }) => name)).toEqual(["web"]);
  });
});
