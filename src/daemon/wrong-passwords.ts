import type { Doors } from "../ingress/ingresses.ts";
import type { Home } from "../host/system/home.ts";
import { isDoorAddress, sourceOf } from "../model/door-address.ts";
import { layout } from "../postgres/instance/directory.ts";
import { followLog } from "../postgres/instance/logs.ts";
import type { ClusterView } from "../cluster/view.ts";

/**
 * Tells doors of wrong passwords. What is said on a connection only PostgreSQL and the client know, so it is
 * PostgreSQL's log that tells, with the address: one that stands for the source alone. Only members of clusters with a
 * door are read.
 */
export interface WrongPasswords {
  watch(views: readonly ClusterView[]): void;
  stop(): void;
}

interface At {
  home: Home;
  /** Undefined in portable mode. */
  prefix: string | undefined;
  doors: Doors;
  say(app: string, sentence: string): void;
}

export function wrongPasswords({ home, prefix, doors, say }: At): WrongPasswords {
  const reading = new Map<string, AbortController>();

  async function read(app: string, machine: string, signal: AbortSignal): Promise<void> {
    for await (const { wrongPasswordFrom } of followLog(layout(home, machine).log, 0, signal)) {
      if (wrongPasswordFrom === undefined || !isDoorAddress(prefix, wrongPasswordFrom)) continue;
      const until = await doors.wrongPassword(app, wrongPasswordFrom);
      if (until === undefined) continue;
      const who = sourceOf(wrongPasswordFrom) ?? wrongPasswordFrom;
      say(
        app,
        `${who} gave too many wrong passwords at the public door of ${app} and is shut out until ${new Date(until).toISOString()}`,
      );
    }
  }

  function end(keep: (machine: string) => boolean): void {
    for (const [machine, abort] of reading) {
      if (keep(machine)) continue;
      abort.abort();
      reading.delete(machine);
    }
  }

  return {
    watch(views) {
      const exposed = views.filter(({ cluster }) => cluster.exposure !== undefined);
      const wanted = new Map(
        exposed.flatMap(({ cluster, members }) => members.map(({ record }) => [record.id, cluster.app] as const)),
      );
      end((machine) => wanted.has(machine));
      for (const [machine, app] of wanted) {
        if (reading.has(machine)) continue;
        const abort = new AbortController();
        reading.set(machine, abort);
        // Its log is read again when the member is looked at next.
        void read(app, machine, abort.signal).catch(() => undefined);
      }
    },
    stop: () => end(() => false),
  };
}
