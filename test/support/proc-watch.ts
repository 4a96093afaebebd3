import { readdirSync, readFileSync } from "node:fs";

/**
 * What anybody on the machine, or root, could read of processes while a test went on: sampled all the time, kept once
 * each.
 */
export interface ProcWatch {
  /** Samples so far. */
  samples(): number;
  /**
   * Ends it. Gives everything that was seen: `cmdline: …` of every process, `environ: …` of all but the apps that Perch
   * gave their secrets.
   */
  stop(): readonly string[];
}

const everyMs = 40;

export function watchProcesses(): ProcWatch {
  const seen = new Set<string>();
  let samples = 0;
  const quietly = (path: string): string => {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return ""; // it has ended
    }
  };
  const sample = () => {
    samples++;
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      seen.add(`cmdline: ${quietly(`/proc/${name}/cmdline`)}`);
      const environ = quietly(`/proc/${name}/environ`);
      if (!environ.includes("FLY_MACHINE_ID=")) seen.add(`environ: ${environ}`);
    }
  };
  const timer = setInterval(sample, everyMs);
  return {
    samples: () => samples,
    stop() {
      clearInterval(timer);
      return [...seen];
    },
  };
}
