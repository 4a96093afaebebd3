import { parseDuration } from "../model/duration.ts";
import type { Flag } from "./command.ts";

/** Of commands that change a password: how long the one before works. */
export const overlapFlag = {
  type: "string",
  value: "TIME",
  summary: "How long the old password works: 30m, 12h, 7d, or 0 (default until the app has restarted, at most a day)",
} as const satisfies Flag;

/** In seconds, as the API has it. */
export const overlapFrom = (flag: string | undefined): { overlap?: number } =>
  flag === undefined ? {} : { overlap: flag === "0" ? 0 : parseDuration(flag, "--overlap") / 1_000 };
