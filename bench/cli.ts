/**
 * What a command costs beside `node -e 0`: the CPU time, user and system, of the process and of all that it started and
 * waited for.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Row } from "./report.ts";
import { ratios } from "./stats.ts";

const launcher = fileURLToPath(new URL("../perch", import.meta.url));

/** Words, and the most that it may cost. */
const commands: readonly { words: readonly string[]; atMost?: number }[] = [
  { words: ["version"], atMost: 1.3 },
  { words: ["status"], atMost: 2 },
  { words: ["run", "-a", "hello", "--", "true"], atMost: 2.2 },
  { words: ["--help"] },
  { words: ["apps", "list"] },
];

export const cli: Bench = {
  name: "cli",
  summary: "what a command costs, in CPU time, beside node -e 0",
  run: (options) =>
    withPerch(async (perch) => {
      await perch.type(["quickstart"]);
      return {
        rows: await measure(perch, options),
        notes: ["In turn with node -e 0 in every round; CPU time, so that waiting counts for nothing."],
      };
    }),
};

async function measure(perch: Perch, { quick, say, signal }: Options): Promise<Row[]> {
  const env = { ...process.env, PERCH_HOME: perch.home.base, NO_COLOR: "1" };
  const node = [process.execPath, "-e", "0"];
  const rows: Row[] = [];
  const built = commands.map(({ words, ...goal }) => ({
    what: `perch ${words.join(" ")}`,
    argv: perch.argv(words),
    ...goal,
  }));
  for (const { what, argv, atMost } of [
    ...built,
    { what: "./perch version", argv: [launcher, "version"], atMost: undefined },
  ]) {
    const [ours, bare]: [number[], number[]] = [[], []];
    const turns = [
      () => cpuOf(argv, env).then((ms) => ours.push(ms)),
      () => cpuOf(node, env).then((ms) => bare.push(ms)),
    ];
    for (let round = 0; round < (quick ? 3 : 21); round++) {
      signal.throwIfAborted();
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    say(`${what}: done`);
    const goal = atMost === undefined ? {} : { goal: { atMost } };
    rows.push({
      what,
      unit: "ms of CPU",
      values: { perch: ours, "node -e 0": bare },
      ratio: ratios(ours, bare),
      ...goal,
    });
  }
  return rows;
}

/**
 * `times` of bash tells, in its second line, what its children used, in milliseconds; that of other shells counts by
 * ten.
 */
async function cpuOf(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn("bash", ["-c", '"$@" >/dev/null 2>&1 </dev/null || exit 9; times', "bash", ...argv], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`${argv.join(" ")} failed`);
  return [...(said.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
    0,
  );
}
