/**
 * What the kernel holds for a network, looked at as a whole: links, addresses, routes, rules, nftables. `claims.ts`
 * holds it against what was set, `supervisor.ts` sets again what is gone. Read from three listings, which cost two
 * programs and some ten milliseconds; the texts are compared first, so that at rest none is parsed.
 */
import { run } from "../../host/process/command.ts";
import type { Place } from "../../host/process/place.ts";

export interface Link {
  up: boolean;
  mtu: number;
  /** With their lengths: "fdaa::3/128". */
  addresses: ReadonlySet<string>;
}

export interface Route {
  /** "unicast" where the kernel names none. */
  type: string;
  /** "default", "fdaa::/16", "fdaa::3". */
  to: string;
  via: string | undefined;
  dev: string | undefined;
  table: string;
}

export interface Snapshot {
  links: ReadonlyMap<string, Link>;
  routes: readonly Route[];
  /** Preferences of the rules of IPv6. */
  rules: ReadonlySet<number>;
  /** "inet perch output" → the rules of that chain; "inet perch leader" → the elements of that map or set. */
  nft: ReadonlyMap<string, readonly string[]>;
}

export interface Listings {
  /** `ip -json -batch -`: two lists. */
  ip: string;
  /** `ip -6 -json rule show`. */
  rules: string;
  /** `nft -s list ruleset`. */
  nft: string;
}

const mark = "--perch--";
const script = `printf 'address show\\nroute show table all\\n' | ip -json -batch - && echo ${mark} && ip -6 -json rule show && echo ${mark} && nft -s list ruleset`;

/** Rejects where the namespace cannot be entered, or one of the tools fails. */
export async function listKernel(place: Place): Promise<Listings> {
  const { stdout } = await run(place.tool(["sh", "-c", script]), { timeoutMs: 10_000 });
  const [ip = "", rules = "", nft = ""] = stdout.split(`${mark}\n`);
  return { ip, rules, nft };
}

export const sameListings = (a: Listings | undefined, b: Listings): boolean =>
  a?.ip === b.ip && a.rules === b.rules && a.nft === b.nft;

interface LinkJson {
  ifname?: string;
  flags?: string[];
  mtu?: number;
  addr_info?: { local?: string; prefixlen?: number }[];
}

interface RouteJson {
  type?: string;
  dst?: string;
  gateway?: string;
  dev?: string;
  table?: string;
}

export function readListings({ ip, rules, nft }: Listings): Snapshot {
  const [links = [], routes = []] = ip
    .split("\n")
    .filter((line) => line.startsWith("["))
    .map((line) => JSON.parse(line) as object[]) as [LinkJson[]?, RouteJson[]?];
  return {
    links: new Map(links.map((link) => [link.ifname ?? "", linkOf(link)])),
    routes: routes.map(({ type = "unicast", dst = "", gateway, dev, table = "main" }) => ({
      type,
      to: dst,
      via: gateway,
      dev,
      table,
    })),
    rules: new Set(
      (JSON.parse(rules.trim() === "" ? "[]" : rules) as { priority?: number }[]).map(({ priority = -1 }) => priority),
    ),
    nft: readRuleset(nft),
  };
}

const linkOf = ({ flags = [], mtu = 0, addr_info: addresses = [] }: LinkJson): Link => ({
  up: flags.includes("UP"),
  mtu,
  addresses: new Set(addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`)),
});

/** nft's own text: a table holds chains, maps and sets, each a block of lines. */
function readRuleset(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const blocks = /^\t(chain|map|set) (\S+) \{\n([\s\S]*?)^\t\}/gm;
  for (const [, table = "", body = ""] of text.matchAll(/^table (\S+ \S+) \{\n([\s\S]*?)^\}/gm))
    for (const [, kind, name = "", lines = ""] of body.matchAll(blocks))
      found.set(`${table} ${name}`, kind === "chain" ? rulesIn(lines) : elementsIn(lines));
  return found;
}

const rulesIn = (block: string): string[] =>
  block
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("type "));

const elementsIn = (block: string): string[] => elements(/elements = \{([\s\S]*?)\}/.exec(block)?.[1] ?? "");

/** As nft lists them, and as it is told them; without their timeouts, which run. */
export const elements = (text: string): string[] =>
  text
    .split(",")
    .map((one) =>
      one
        .trim()
        .replace(/ (timeout|expires) \S+/g, "")
        .replaceAll('"', ""),
    )
    .filter((one) => one !== "");
