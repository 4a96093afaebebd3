import { beforeAll, describe, expect, it } from "vitest";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("a run that goes on", () => {
  const { ok, json, begin, perch } = worldIn();
  const machines = () => json<{ id: string; app: string }[]>("machine", "list");

  beforeAll(async () => {
    await ok("up");
    await ok("apps", "create", "web", "--region", "ams");
    await ok("secrets", "set", "-a", "web", "MODE=one");
  });

  it("is restarted with --watch when its secrets change, with SIGTERM and the new values, and ends when the command ends", async () => {
    const line =
      'trap "echo bye $MODE; exit 0" TERM; echo "mode $MODE"; [ "$MODE" != three ] || exit 4; while :; do sleep 0.05; done';
    const running = await begin(["run", "-a", "web", "--watch", "--", "sh", "-c", line]);
    await eventually("the first has begun", () => running.stdout() === "mode one\n");
    await ok("secrets", "set", "-a", "web", "MODE=two");
    await eventually("the second has begun", () => running.stdout() === "mode one\nbye one\nmode two\n");
    expect(running.stderr()).toContain("Secrets of web changed: restarting the command\n");
    await ok("secrets", "set", "-a", "web", "MODE=three");
    expect(await running.ended).toMatchObject({
      code: 4,
      stdout: "mode one\nbye one\nmode two\nbye two\nmode three\n",
    });
    expect(await machines()).toEqual([]);
  });

  it("is not restarted by another app's secrets, and without --watch by none", async () => {
    await ok("apps", "create", "other");
    const begun = await Promise.all(
      [["--watch"], []].map((flags) =>
        begin(["run", "-a", "web", ...flags, "--", "sh", "-c", "echo begun; while :; do sleep 0.05; done"]),
      ),
    );
    for (const running of begun) await eventually("the command has begun", () => running.stdout() === "begun\n");
    await ok("secrets", "set", "-a", "other", "A=1");
    await ok("secrets", "set", "-a", "web", "MODE=four");
    await eventually("the one that watches begins again", () => begun[0]?.stdout() === "begun\nbegun\n");
    for (const running of begun) {
      running.kill("SIGTERM");
      expect((await running.ended).code).toBe(143);
    }
    expect(begun.map((running) => running.stdout())).toEqual(["begun\nbegun\n", "begun\n"]);
  });

  it("needs an app to watch", async () => {
    const ended = await perch(["run", "--watch", "--", "true"], { cwd: "/" });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("[no_app]");
  });

  it("is forgotten soon when its CLI is killed", async () => {
    const running = await begin(["run", "-a", "web", "--", "sh", "-c", "echo $$; exec sleep 300"]);
    await eventually("the command has begun", () => running.stdout().includes("\n"));
    await recordProcess(Number(running.stdout().trim()));
    expect(await machines()).toHaveLength(1);
    expect((await ok("dig", "web.internal", "--short")).trim()).not.toBe("");
    running.kill("SIGKILL");
    await eventually("the run is forgotten", async () => (await machines()).length === 0, 8_000);
    expect((await ok("dig", "web.internal", "--short")).trim()).toBe("");
  });
});
