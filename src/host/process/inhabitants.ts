import { readdir, readlink } from "node:fs/promises";
import type { ProcessIdentity } from "../../model/records.ts";
import { run } from "./command.ts";
import { identify } from "./process.ts";

/** Every process in the network namespace that `enter` (an argv prefix) leads to, this one never among them. */
export async function inhabitants(enter: (argv: readonly string[]) => string[]): Promise<ProcessIdentity[]> {
  const { stdout } = await run(enter(["readlink", "/proc/self/ns/net"]));
  const namespace = stdout.trim();
  const own = await readlink("/proc/self/ns/net");
  if (namespace === "" || namespace === own) return [];
  const found = await Promise.all(
    (await allPids()).map(async (pid) =>
      // The process may have ended.
      (await readlink(`/proc/${pid}/ns/net`).catch(() => "")) === namespace ? identify(pid) : undefined,
    ),
  );
  return found.filter((one) => one !== undefined);
}

const allPids = async (): Promise<number[]> =>
  // Where there is no /proc none are found.
  (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
