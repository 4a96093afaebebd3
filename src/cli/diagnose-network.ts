import type { Diagnosis, Status } from "../api/schemas.ts";
import { isCode, toPerchError } from "../errors/error.ts";
import type { Daemon } from "./command.ts";

type Line = Diagnosis["lines"][number];

/** How the network is as a whole, for whoever names no app. */
export interface NetworkDiagnosis {
  /** No line fails. */
  ok: boolean;
  /** What all clusters have in common. */
  lines: Line[];
  /** The rest of each cluster's own, gone as the role postgres. */
  clusters: Diagnosis[];
}

const common: ReadonlySet<Line["check"]> = new Set([
  "daemon",
  "namespace",
  "disk",
  "inodes",
  "memory",
  "promised-memory",
  "perchd-memory",
  "descriptors",
  "kernel",
  "process",
]);
const inCommon = (line: Line): boolean => common.has(line.check);

export async function diagnoseNetwork(daemon: Daemon, region: string | undefined): Promise<NetworkDiagnosis> {
  const status = await daemon.call("status", {});
  const whole: Diagnosis[] = [];
  for (const { name } of status.clusters) {
    const query = { variable: "DATABASE_URL", ...(region === undefined ? {} : { region }) };
    whole.push(await daemon.call("doctor", { params: { app: name }, query }));
  }
  const [first] = whole;
  const lines = first === undefined ? await withoutCluster(daemon, status) : first.lines.filter(inCommon);
  const clusters = whole.map((one) => ({ ...one, lines: one.lines.filter((line) => !inCommon(line)) }));
  return {
    ok: [...lines, ...clusters.flatMap((one) => one.lines)].every(({ state }) => state !== "fail"),
    lines,
    clusters,
  };
}

/** Where nobody could be gone to: perchd, and the name server asked from inside. */
async function withoutCluster(daemon: Daemon, { daemon: { pid, version }, warnings }: Status): Promise<Line[]> {
  const perchd: Line = { check: "daemon", state: "ok", sentence: `perchd ${version} answers (process ${pid})` };
  const asked = await daemon.call("dig", { body: { name: "_apps.internal", type: "TXT" } }).then(
    (): Line => ({ check: "name", state: "ok", sentence: "the name server answers inside the network" }),
    (error: unknown): Line | undefined =>
      isCode(error, "portable_mode")
        ? undefined
        : {
            check: "name",
            state: "fail",
            sentence: `the name server does not answer: ${toPerchError(error).message}`,
            next: "perch events",
          },
  );
  const runningOut = warnings.map(({ what, level, sentence, next }): Line => ({
    check: what,
    state: level,
    sentence,
    next,
  }));
  return [perchd, ...(asked === undefined ? [] : [asked]), ...runningOut];
}
