import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { recordProcess } from "../../../support/processes.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";
import { storeAt } from "../../../store/open.ts";

const writer = fileURLToPath(new URL("writer.ts", import.meta.url));
const argv = (path: string, mode: string) => [process.execPath, "--import", "tsx", writer, path, mode];

interface Opener {
  child: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line it says; undefined when it has ended. */
  line(): Promise<string | undefined>;
}

async function start(path: string, mode: string): Promise<Opener> {
  const [program = "", ...args] = argv(path, mode);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child, "spawn");
  await recordProcess(child.pid ?? 0);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => ((await lines.next()) as { value?: string }).value };
}

describe("a store and processes", () => {
  it("lets one of two processes in that open it at once, and the other as soon as the first has ended", async () => {
    const path = join(temporaryDirectory(), "perch.db");
    const both = await Promise.all([start(path, "hold"), start(path, "hold")]);
    const said = await Promise.all(both.map((opener) => opener.line()));
    expect(new Set(said)).toEqual(new Set(["already_running", "open"]));
    await expect(storeAt(path)).rejects.toMatchObject({ code: "already_running" });
    const winner = both[said.indexOf("open")];
    winner?.child.stdin.end();
    await once(winner?.child ?? process, "exit");
    await (await storeAt(path)).close();
  });

  it("is shut to other processes while this one has it open, and open to them at once after it is closed", async () => {
    const path = join(temporaryDirectory(), "perch.db");
    const store = await storeAt(path);
    expect(await (await start(path, "hold")).line()).toBe("already_running");
    await store.txn([], [{ put: "still", value: "1" }]);
    await store.close();
    const next = await start(path, "hold");
    expect(await next.line()).toBe("open");
    next.child.stdin.end();
  });

  it(
    "loses nothing it has confirmed and tears no transaction apart when its process is killed in the middle of writing",
    { timeout: 120_000 },
    async () => {
      const path = join(temporaryDirectory(), "perch.db");
      let confirmed = 0;
      for (let round = 0; round < 12; round++) {
        const opener = await start(path, "write");
        expect(await opener.line()).toBe("open");
        for (let line = 0; line < 40 + round * 17; line++) {
          const revision = Number(await opener.line());
          expect(revision).toBeGreaterThan(confirmed);
          confirmed = revision;
        }
        opener.child.kill("SIGKILL");
        await once(opener.child, "exit");
        // What it said before it died and nobody has read yet.
        for (let line = await opener.line(); line !== undefined; line = await opener.line()) confirmed = Number(line);

        const store = await storeAt(path);
        const { revision, entries } = await store.range("pair/");
        expect(revision).toBeGreaterThanOrEqual(confirmed);
        // At most the one transaction that was under way is written and not confirmed.
        expect(revision).toBeLessThanOrEqual(confirmed + 1);
        expect(entries.map((entry) => entry.modRevision)).toEqual([revision, revision]);
        expect(entries[0]?.value).toBe(entries[1]?.value);
        await store.close();
      }
    },
  );

  const mountable = spawnSync("unshare", ["--user", "--map-root-user", "--mount", "true"]).status === 0;
  it.skipIf(!mountable)("says that the disk is full, and keeps what was there before", () => {
    const directory = join(temporaryDirectory(), "small");
    mkdirSync(directory);
    const script = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';
    const [program = "", ...args] = argv(join(directory, "perch.db"), "fill");
    const inside = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", directory, program, ...args];
    const [opened, code, kept, written, gone] = execFileSync("unshare", inside, { encoding: "utf8" }).split("\n");
    expect([opened, code]).toEqual(["open", "disk_full"]);
    expect(Number(kept)).toBeGreaterThan(5);
    expect(kept).toBe(written);
    expect(gone).toBe("true");
  });
});
