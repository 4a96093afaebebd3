import type { Diagnosis } from "../../api/schemas.ts";
import type { NetworkDiagnosis } from "../diagnose-network.ts";
import type { Style } from "./style.ts";

/** A diagnosis for people: a line a check, and below one that is not well the command that fixes it. Pure. */
export function diagnosisText({ app, lines }: Diagnosis, style: Style): string {
  const bad = lines.filter(({ state }) => state === "fail").map(({ check }) => check);
  return [
    linesText(lines, style),
    bad.length === 0 ? `${app} can connect.` : `${app} cannot connect: look at ${bad.join(", ")}.`,
  ].join("\n");
}

/** That of a network: what all have in common, then cluster by cluster. Pure. */
export function networkDiagnosisText({ ok, lines, clusters }: NetworkDiagnosis, style: Style): string {
  const parts = clusters.map((one) => `Cluster ${one.app}\n${diagnosisText(one, style)}`);
  if (ok && parts.length === 0) parts.push("There is no cluster yet. Make one:  perch postgres create --name pg");
  return [linesText(lines, style), ...parts].join("\n\n");
}

function linesText(lines: Diagnosis["lines"], style: Style): string {
  const width = Math.max(...lines.map(({ check }) => check.length));
  const paint = { ok: style.green, warn: style.yellow, fail: style.red };
  const text = lines.map(({ check, state, sentence, next }) => {
    const line = `${paint[state](state.padEnd(4))}  ${check.padEnd(width)}  ${sentence}`;
    return next === undefined || state === "ok" ? line : `${line}\n${" ".repeat(width + 8)}→ ${next}`;
  });
  return text.join("\n");
}
