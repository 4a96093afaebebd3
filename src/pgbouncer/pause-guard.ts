import { startGuard } from "../host/process/guard.ts";
import type { ProcessIdentity } from "../model/records.ts";

export interface Patience {
  /** A pause of a perchd that lives and does nothing, stopped by a signal. */
  atMostSeconds: number;
  /**
   * perchd is gone: the leader that it was stopping has this long to stop, so that who goes on does not meet it
   * half-way.
   */
  afterEndSeconds: number;
}

const patience: Patience = { atMostSeconds: 6, afterEndSeconds: 3 };

/**
 * PgBouncer keeps its clients waiting for as long as nobody says RESUME, and only perchd does. So beside each PAUSE a
 * shell waits: told that it is not needed, it ends; where perchd is killed or stopped by a signal, it says RESUME, by
 * the signal that PgBouncer has for that, to that very process alone. Gives what ends it.
 */
export const guardPause = (
  { pid, startTime }: ProcessIdentity,
  { atMostSeconds, afterEndSeconds } = patience,
): Promise<() => void> =>
  startGuard([
    "sh",
    "-c",
    script,
    "perch-pause-guard",
    String(pid),
    startTime,
    String(atMostSeconds),
    String(afterEndSeconds),
  ]);

/**
 * A pid may be another's by then, whom the signal would end: its start time is field 22 of stat, the 20th after the
 * name.
 */
const script = `said=$(timeout "$3" head -c 1); how=$?
[ -n "$said" ] && exit
[ "$how" = 124 ] || sleep "$4"
read -r stat < "/proc/$1/stat" || exit
set -- "$1" "$2" \${stat##*) }
[ "\${22}" = "$2" ] && kill -USR2 "$1"
`;
