import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";

/**
 * The host's resolvers, as glibc reads them: the first three `nameserver` lines, or the host itself where there are
 * none.
 */
export function nameservers(text: string): string[] {
  const found = text.split("\n").flatMap((line) => {
    const [key, address = ""] = line.trim().split(/\s+/);
    return key === "nameserver" && isIP(address) !== 0 ? [address] : [];
  });
  return found.length === 0 ? ["127.0.0.1"] : found.slice(0, 3);
}

/** Milliseconds for which the file is taken to be what it was. */
const trustedMs = 1_000;

/** Reads the file when it has changed (asked at most once a second); a file that is not there is an empty one. */
export function watchNameservers(path: string): () => Promise<string[]> {
  let asked = -Infinity;
  let seen = "never";
  let current: string[] = [];
  return async () => {
    if (performance.now() - asked < trustedMs) return current;
    asked = performance.now();
    const stamp = await stat(path).then(
      (stats) => `${stats.ino} ${stats.mtimeMs} ${stats.size}`,
      () => "absent",
    );
    if (stamp !== seen) {
      // Without the file there are no resolvers.
      current = nameservers(await readFile(path, "utf8").catch(() => ""));
      seen = stamp;
    }
    return current;
  };
}
