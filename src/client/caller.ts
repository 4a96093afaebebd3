import { userInfo } from "node:os";

/** Whose command this is: `uid 1000 (ann)`, and under sudo who typed it. */
export function callerText(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const sudo = env["SUDO_UID"] === undefined ? "" : `, by sudo of uid ${env["SUDO_UID"]}`;
  return `uid ${process.getuid?.() ?? 0}${nameOf()}${sudo}`.replaceAll(/[^ -~]/g, "?").slice(0, 120);
}

/** A user without a line in /etc/passwd has no name. */
function nameOf(): string {
  try {
    return ` (${userInfo().username})`;
  } catch {
    return ""; // as it says above
  }
}
