import type { Diagnosis } from "../../api/schemas.ts";
import type { Style } from "./style.ts";

/** A diagnosis for people: a line a check, and below one that is not well the command that mends it. Pure. */
export function diagnosisText({ app, lines }: Diagnosis, style: Style): string {
  const width = Math.max(...lines.map(({ check }) => check.length));
  const paint = { ok: style.green, warn: style.yellow, fail: style.red };
  const text = lines.map(({ check, state, sentence, next }) => {
    const line = `${paint[state](state.padEnd(4))}  ${check.padEnd(width)}  ${sentence}`;
    return next === undefined || state === "ok" ? line : `${line}\n${" ".repeat(width + 8)}→ ${next}`;
  });
  const bad = lines.filter(({ state }) => state === "fail").map(({ check }) => check);
  return [...text, bad.length === 0 ? `${app} can connect.` : `${app} cannot connect: look at ${bad.join(", ")}.`].join("\n");
}
