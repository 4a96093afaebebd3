import { expect } from "vitest";
import type { Diagnosis } from "../../src/api/schemas.ts";
import type { World } from "./world.ts";

export type Line = Diagnosis["lines"][number];

/** `perch doctor -a web`, with its exit code held against its lines. */
export async function doctorOf(world: World, ...more: string[]): Promise<Line[]> {
  const ended = await world.perch(["doctor", "-a", "web", "--json", ...more]);
  const { ok, lines } = JSON.parse(ended.stdout) as Diagnosis;
  expect([ok, ended.code]).toEqual(lines.some(({ state }) => state === "fail") ? [false, 1] : [true, 0]);
  return lines;
}

export const wrong = (lines: Line[]): Line[] => lines.filter(({ state }) => state !== "ok");

/** Types what the line says, word by word. */
export async function mend(world: World, line: Line | undefined): Promise<void> {
  for (const command of line?.next?.split(" && ") ?? []) await world.ok(...command.split(" ").slice(1));
}
