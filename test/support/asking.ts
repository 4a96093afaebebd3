import { fileURLToPath } from "node:url";
import type { RunningProgram } from "./perch.ts";
import { recordProcess } from "./processes.ts";
import { eventually } from "./world.ts";

/** Apps that never stop asking (`load.ts`), as a test holds them. */
interface Said {
  counts: { fresh: number; long: number; names: number };
  failures: string[];
}

const script = fileURLToPath(new URL("load.ts", import.meta.url));

/** The app, for a shell inside `perch run`; `url` is the variable that holds where it asks. */
export const askingApp = (url = "DATABASE_URL"): string =>
  `DATABASE_URL=$${url} exec "${process.execPath}" --import tsx "${script}"`;

export function asking() {
  let apps: RunningProgram[] = [];

  function said(app: RunningProgram): Said {
    // What is longer than a pipe takes at once may have come in part.
    const last = app.stdout().split("\n").at(-2) ?? "";
    return last === "" ? { counts: { fresh: 0, long: 0, names: 0 }, failures: [] } : (JSON.parse(last) as Said);
  }

  async function moreOf(app: RunningProgram, count: number): Promise<void> {
    const { counts: from } = said(app);
    const enough = () => {
      const { counts: now } = said(app);
      return now.fresh >= from.fresh + count && now.long >= from.long + count && now.names >= from.names + count;
    };
    await eventually(`${count} more queries\n${app.stderr()}`, enough, 60_000);
  }

  return {
    async add(app: RunningProgram): Promise<void> {
      await recordProcess(app.pid);
      apps.push(app);
    },
    /** Waits until each has asked that many times more, each way. */
    async more(count: number): Promise<void> {
      for (const app of apps) await moreOf(app, count);
    },
    failures: (): string[] => apps.flatMap((app) => said(app).failures),
    counts: () => apps.map((app) => said(app).counts),
    async end(): Promise<void> {
      const ending = apps;
      apps = [];
      for (const app of ending) app.kill("SIGTERM");
      await Promise.all(ending.map(({ ended }) => ended));
    },
  };
}
