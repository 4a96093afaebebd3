/**
 * The first minute of a newcomer: a clean clone of what is committed, an empty home, `./perch quickstart`, with an
 * empty npm cache and with a filled one.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, run } from "../src/host/process/command.ts";
import type { Bench } from "./report.ts";
import { timed } from "./stats.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const patienceMs = 300_000;

export const quickstart: Bench = {
  name: "quickstart",
  summary: "./perch quickstart on a clean clone, with a cold and a warm npm cache",
  async run({ quick, say, signal }) {
    const rounds = quick ? 1 : 2;
    const [cold, warm, ready]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      const root = await mkdtemp(join(tmpdir(), "perch-bench-clone-"));
      try {
        const first = await newcomer(root, "first");
        cold.push(first.whole);
        ready.push(first.again);
        say(`cold cache: ${round + 1} of ${rounds}`);
        signal.throwIfAborted();
        if (quick) continue;
        const second = await newcomer(root, "second");
        warm.push(second.whole);
        ready.push(second.again);
        say(`warm cache: ${round + 1} of ${rounds}`);
      } catch (error) {
        if (error instanceof CommandError && /npm (error|ERR)/.test(error.stderr))
          return { skipped: `npm ci fails here: ${error.message}` };
        throw error;
      } finally {
        await rm(root, { recursive: true, force: true, maxRetries: 3 });
      }
      signal.throwIfAborted();
    }
    const row = (what: string, perch: number[]) => ({
      what,
      unit: "s",
      values: { perch: perch.map((ms) => ms / 1_000) },
    });
    return {
      rows: [
        row("quickstart, cold npm cache (npm ci, build, run)", cold),
        ...(warm.length === 0 ? [] : [row("quickstart, warm npm cache (npm ci, build, run)", warm)]),
        row("quickstart, built already, a new home", ready),
      ],
    };
  },
};

/** `name` is a clone and a home of its own; the npm cache is that of `root`. */
async function newcomer(root: string, name: string): Promise<{ whole: number; again: number }> {
  const [clone, home] = [join(root, name), join(root, `home-${name}`)];
  await run(["git", "clone", "--quiet", repository, clone]);
  await mkdir(home);
  const perch = (state: string, ...words: string[]) =>
    run([join(clone, "perch"), ...words], {
      cwd: clone,
      env: { HOME: home, npm_config_cache: join(root, "npm-cache"), PERCH_HOME: join(home, state), NO_COLOR: "1" },
      timeoutMs: patienceMs,
    });
  const once = async (state: string) => {
    try {
      return (await timed(() => perch(state, "quickstart"))).ms;
    } finally {
      await perch(state, "down").catch(() => undefined);
    }
  };
  return { whole: await once("one"), again: await once("two") };
}
