/**
 * The private network's name server: `.internal` (and `.flycast`, its alias) for whoever is in the network, and
 * everything else asked of the host's resolvers. It is a process of its own on the host's side, with only its sockets
 * inside the namespace, because names must outlive perchd. It is told the whole zone at once and may not know the
 * store, PostgreSQL or how a leader is chosen.
 *
 * Start reading here (what is answered, pure), then `forms.ts` (the names below an app) and `reverse.ts`; `wire.ts` and
 * `edns.ts` (bytes), `answerer.ts` (bytes in, bytes out, the cache), `forward.ts` (other names), `server.ts` (sockets),
 * `bind.ts` (how they get inside), `main.ts` (the process); perchd uses `start.ts` and `control.ts`, and `ask.ts` for
 * `perch dig`.
 */
import { appAnswer, type AppZone } from "./forms.ts";
import type { Answer, Outcome, Question } from "./records.ts";
import { resolvers, serverName } from "./resolvers.ts";
import { reverseZone } from "./reverse.ts";
import type { ZoneData, ZoneMachine } from "./zone-data.ts";

export interface Zone {
  readonly serial: number;
  /** Whether a lower-case name is for us to answer, and so never forwarded. */
  holds(name: string): boolean;
  /**
   * The answer to a question about a name that `holds`. Owner names are the asked one; an empty answer carries the SOA
   * as its authority.
   */
  answer(question: Question, region: string | undefined): Answer;
}

/** Answers change when machines do, so nobody may keep them (or their absence) for longer. Seconds. */
export const ttl = 5;

const nothing: Outcome = { known: true };

export function makeZone(data: ZoneData, serial: number): Zone {
  const apps = new Map(
    data.apps.map((app): [string, AppZone] => [app.name, { app, defaultRegion: data.defaultRegion }]),
  );
  const peers = new Map(data.peers.map((each) => [each.name.toLowerCase(), each.address]));
  const listedPeers = data.peers.map((each) => each.name).filter((name) => !name.startsWith("interactive-"));
  const reverse = reverseZone(data);

  const soa = (apex: string) => ({ apex, serial, minimum: ttl });

  function internal(labels: readonly string[], region: string | undefined): Outcome | undefined {
    const last = labels.at(-1);
    if (last === undefined) return { known: true, ns: serverName };
    if (last === "_apps") return labels.length === 1 ? text([...apps.keys()].toSorted().join(",")) : undefined;
    if (last === "_instances") return instances(labels.slice(0, -1));
    if (last === "_peer") return peer(labels.slice(0, -1));
    if (last === "_dns") return resolver(labels.slice(0, -1));
    const app = apps.get(last);
    return app === undefined ? undefined : appAnswer(app, labels.slice(0, -1), region);
  }

  function peer(labels: readonly string[]): Outcome | undefined {
    if (labels.length === 0) return text(listedPeers.toSorted().join(","));
    const address = peers.get(labels.join("."));
    return address === undefined ? undefined : { known: true, aaaa: [address] };
  }

  function instances(labels: readonly string[]): Outcome | undefined {
    const all = labels[0] === "all";
    if (labels.length > 1 || (labels.length === 1 && !all)) return undefined;
    const listed = (machine: ZoneMachine) => all || machine.state === "started";
    const entries = data.apps.flatMap((app) =>
      app.machines.filter(listed).map((m) => `instance=${m.id},app=${app.name},ip=${m.address},region=${m.region}`),
    );
    return text(entries.join(";"));
  }

  function resolver(labels: readonly string[]): Outcome | undefined {
    const name = [...labels, serverName].join(".");
    const aaaa = resolvers(data.prefix)
      .filter((each) => each.name === name)
      .map((each) => each.address);
    return aaaa.length === 0 ? undefined : { known: true, aaaa };
  }

  return {
    serial,
    holds: (name) => /(^|\.)(internal|flycast)$/.test(name) || reverse.holds(name),
    answer({ name, type }, region) {
      const asked = name.toLowerCase();
      if (reverse.holds(asked)) return toAnswer(reverse.lookUp(asked), type, soa(reverse.apexOf(asked)));
      const labels = asked.split(".");
      return toAnswer(internal(labels.slice(0, -1), region), type, soa(labels.at(-1) ?? "internal"));
    },
  };
}

const text = (value: string): Outcome => (value === "" ? nothing : { known: true, txt: value });

function toAnswer(outcome: Outcome | undefined, type: Question["type"], soa: Answer["soa"]): Answer {
  if (outcome === undefined) return { rcode: "NXDOMAIN", records: [], soa };
  const wants = (one: Question["type"]) => type === one || type === "ANY";
  const records: Answer["records"] = [];
  if (outcome.ns !== undefined && wants("SOA")) records.push({ type: "SOA", ...soa });
  if (outcome.ns !== undefined && wants("NS")) records.push({ type: "NS", data: outcome.ns });
  if (wants("AAAA")) for (const data of outcome.aaaa ?? []) records.push({ type: "AAAA", data });
  if (outcome.txt !== undefined && wants("TXT")) records.push({ type: "TXT", data: outcome.txt });
  if (outcome.ptr !== undefined && wants("PTR")) records.push({ type: "PTR", data: outcome.ptr });
  return { rcode: "NOERROR", records, soa };
}
