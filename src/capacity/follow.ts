import { clusterReadings } from "./cluster-readings.ts";
import type { Facts, Reading, Warning } from "./facts.ts";
import { machineReadings } from "./machine-readings.ts";
import { levelOf } from "./thresholds.ts";

/** Warnings from one look to the next: what they are now, and what is to be said because it is new. Pure. */
export interface Followed {
  warnings: Warning[];
  /** About whom, and the sentence. */
  said: { subject: string; sentence: string }[];
  held: Held;
}

/** What was said to run out, and since when it does not any more. */
export type Held = ReadonlyMap<string, { warning: Warning; wellSince: number | undefined }>;

/** What comes and goes within this time, as when a server is restarted, is said once. */
const wellMs = 10_000;

const keyOf = ({ what, subject, thing }: Pick<Warning, "what" | "subject" | "thing">): string =>
  [what, subject, thing].join(" ");

export function follow(facts: Facts, before: Held, now: number): Followed {
  const readings = [...machineReadings(facts), ...facts.clusters.flatMap(clusterReadings)];
  const warnings = readings.flatMap((reading): Warning[] => {
    const level = levelOf(reading, before.has(keyOf(reading)));
    return level === undefined ? [] : [{ ...reading, level }];
  });
  const said: Followed["said"] = [];
  const held = new Map<string, { warning: Warning; wellSince: number | undefined }>();
  for (const warning of warnings) {
    const known = before.get(keyOf(warning))?.warning;
    const worse = known?.level === "warn" && warning.level === "fail";
    if (known === undefined || worse)
      said.push({
        subject: warning.subject,
        sentence: `${worse ? "worse: " : "warning: "}${warning.sentence}; what helps: ${warning.next}`,
      });
    // What once had run out is not said to be worse again until it was over.
    held.set(keyOf(warning), {
      warning: known?.level === "fail" ? { ...warning, level: "fail" } : warning,
      wellSince: undefined,
    });
  }
  for (const [key, { warning, wellSince = now }] of before) {
    if (held.has(key)) continue;
    if (now - wellSince < wellMs) held.set(key, { warning, wellSince });
    else said.push({ subject: warning.subject, sentence: overText(warning, readings) });
  }
  return { warnings, said, held };
}

function overText(warning: Warning, readings: readonly Reading[]): string {
  const now = readings.find((reading) => keyOf(reading) === keyOf(warning));
  return `no warning any more: ${now?.sentence ?? `${warning.thing} of ${warning.subject}, for which there was one, is not there`}`;
}
