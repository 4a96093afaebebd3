import { fail } from "../errors/error.ts";
import { printable } from "./name.ts";

/** `90d`, `12h`, `30m` as milliseconds; at most ten years. Pure. */
const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const longest = 3_650 * units.d;

export function parseDuration(text: string, what: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (units[unit as keyof typeof units] ?? 0);
  if (ms > 0 && ms <= longest) return ms;
  throw fail("size_invalid", {
    what,
    value: printable(text),
    why: "it is no time such as 30m, 12h or 90d, ten years at most",
  });
}
