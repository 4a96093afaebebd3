import { elements, type Route, type Snapshot } from "./snapshot.ts";

/**
 * Something that the kernel holds for a network, described by the very texts it was set with: what was said to `ip` and
 * `nft` is what must be there. Whoever sets something has one. Pure but for `set`.
 */
export interface Claim {
  /** "the map of 5432", "the addresses of members". */
  name: string;
  /** As `ip -batch -` was told. */
  ip?: string;
  /** As `nft -f -` was told. */
  nft?: string;
  /** Sets all of it again. */
  set(): Promise<void>;
}

/** Chain → its rules as the kernel lists them, learned once they were as many as were set. */
export type Learned = Map<string, string>;

/** What of a claim is not there, or is otherwise, in a few words each. */
export function missing({ ip = "", nft = "" }: Claim, now: Snapshot, learned: Learned): string[] {
  return [...ip.split("\n").flatMap((line) => absent(line, now)), ...missingRules(nft, now, learned)];
}

/** A line for `ip` that sets something which can be looked at; of all others nothing is said. */
function absent(line: string, { links, routes, rules }: Snapshot): string[] {
  const link = /^link set (?:dev )?(\S+) (?:(up)|mtu (\d+))$/.exec(line);
  if (link !== null) {
    const [, name = "", up, mtu] = link;
    const found = links.get(name);
    if (found === undefined) return [`the interface ${name}`];
    if (up !== undefined && !found.up) return [`the interface ${name}, which is down`];
    return mtu !== undefined && found.mtu !== Number(mtu) ? [`the MTU of ${name}, which is ${found.mtu}`] : [];
  }
  const [, address, dev = ""] = /^address (?:add|replace) (\S+) dev (\S+)/.exec(line) ?? [];
  if (address !== undefined)
    return links.get(dev)?.addresses.has(address) === true
      ? []
      : [`the address ${address.replace(/\/128$/, "")} of ${dev}`];
  const route =
    /^route (?:add|replace) (?:(local|unreachable) )?(\S+)(?: via (\S+))?(?: dev (\S+))?.*?(?: table (\S+))?$/.exec(
      line,
    );
  if (route !== null) {
    const [, type = "unicast", to = "", via, device, table] = route;
    const wanted: Route = {
      type,
      to: to.replace(/\/128$/, ""),
      via,
      dev: device,
      table: table ?? (type === "local" ? "local" : "main"),
    };
    return routes.some((found) => isRoute(found, wanted)) ? [] : [`the route to ${wanted.to}`];
  }
  const rule = /^rule (add|delete) pref (\d+)/.exec(line);
  if (rule === null) return [];
  const [, verb, preference] = rule;
  if (rules.has(Number(preference)) === (verb === "add")) return [];
  return [verb === "add" ? `the rule ${preference}` : `the order of rules: rule ${preference} is back`];
}

const isRoute = (found: Route, wanted: Route): boolean =>
  found.type === wanted.type &&
  found.to === wanted.to &&
  found.table === wanted.table &&
  found.via === wanted.via &&
  (wanted.dev === undefined || found.dev === wanted.dev);

function missingRules(text: string, { nft }: Snapshot, learned: Learned): string[] {
  const { chains, sets } = readOrders(text);
  const absences: string[] = [];
  for (const [name, rules] of chains) {
    const found = nft.get(name);
    const listed = found?.join("\n");
    if (found === undefined) absences.push(`the chain ${shortened(name)}`);
    else if (found.length !== rules.length) absences.push(`rules of the chain ${shortened(name)}`);
    else if (listed !== (learned.get(keyOf(name, rules)) ?? listed))
      absences.push(`a rule of the chain ${shortened(name)}, which is another`);
    else learned.set(keyOf(name, rules), listed ?? "");
  }
  for (const [name, wanted] of sets) {
    const found = nft.get(name);
    if (found === undefined) absences.push(`the set ${shortened(name)}`);
    else if (found.length !== wanted.size || found.some((element) => !wanted.has(element)))
      absences.push(`elements of ${shortened(name)}`);
  }
  return absences;
}

const keyOf = (name: string, rules: readonly string[]): string => `${name}\n${rules.join("\n")}`;
const shortened = (name: string): string => name.replace(/^inet /, "").replace(" ", "/");

/** What a text for nft leaves behind: the rules of each chain, the elements of each set and map. */
function readOrders(text: string): { chains: Map<string, string[]>; sets: Map<string, Set<string>> } {
  const chains = new Map<string, string[]>();
  const sets = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, verb = "", kind = "", table = "", rest = ""] =
      /^(add|flush|delete) (\S+) (inet \S+)(?: (.*))?$/.exec(line) ?? [];
    const [name = "", ...more] = rest.split(" ");
    const full = `${table} ${name}`;
    if (verb === "delete") {
      chains.delete(full);
      sets.delete(full);
      if (kind === "table") emptied(chains, sets, table, verb);
    } else if (kind === "rule") chains.get(full)?.push(more.join(" "));
    else if (kind === "element")
      for (const one of elements(more.join(" ").replace(/^\{|\}$/g, ""))) sets.get(full)?.add(one);
    else if (kind === "chain") chains.set(full, verb === "flush" ? [] : (chains.get(full) ?? []));
    else if (kind === "set" || kind === "map")
      sets.set(full, verb === "flush" ? new Set() : (sets.get(full) ?? new Set()));
    else if (kind === "table" && verb === "flush") emptied(chains, sets, table, verb);
  }
  return { chains, sets };
}

function emptied(chains: Map<string, string[]>, sets: Map<string, Set<string>>, table: string, verb: string): void {
  for (const name of [...chains.keys()].filter((one) => one.startsWith(`${table} `))) {
    if (verb === "delete") chains.delete(name);
    else chains.set(name, []);
  }
  for (const name of [...sets.keys()].filter((one) => one.startsWith(`${table} `)))
    if (verb === "delete") sets.delete(name);
}
