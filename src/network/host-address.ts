import { run } from "../host/process/command.ts";

interface Route {
  prefsrc?: string;
}

/**
 * The address by which this host goes out, and so by which others may find it: asked of the routes alone, nothing is
 * sent. Undefined: it has no way out.
 */
export async function hostAddress(): Promise<string | undefined> {
  // Addresses for documentation, which are nobody's.
  for (const [family, to] of [
    ["-4", "192.0.2.1"],
    ["-6", "2001:db8::1"],
  ] as const) {
    // Without a route there is no such address.
    const found = await run(["ip", "-json", family, "route", "get", to]).catch(() => undefined);
    const [route] = found === undefined ? [] : (JSON.parse(found.stdout) as Route[]);
    if (route?.prefsrc !== undefined) return route.prefsrc;
  }
  return undefined;
}
