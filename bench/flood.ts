/**
 * Who is still answered, and in what time, while somebody is rude: names asked inside the network and the owner's
 * requests, in each round first in peace and then during the abuse; and the memory of perchd and of the name server
 * before, during and after it. The abuses are those of test/e2e/flood-*.test.ts.
 */
import { pause } from "../src/base/deadline.ts";
import { clientOf } from "../src/client/client.ts";
import { connectNameServer } from "../src/dns/control.ts";
import { freePort } from "../src/host/sockets/ports.ts";
import { networkResolver } from "../src/model/address.ts";
import { perchdName } from "../src/model/token.ts";
import { bear, type Borne } from "../test/support/rude/abuse.ts";
import type { Answered } from "../test/support/rude/deeds.ts";
import { type Rude, rudeClient } from "../test/support/rude/rude.ts";
import { asking } from "../test/support/rude/vitals.ts";
import { type Perch, statusOf, withPerch } from "./ground.ts";
import type { Bench, Options, Outcome, Row } from "./report.ts";
import { ratios } from "./stats.ts";

export const flood: Bench = {
  name: "flood",
  summary: "names and requests answered under floods, and memory",
  run: (options) =>
    process.getuid?.() === 0
      ? withPerch(async (perch) => {
          const clients: Rude[] = [];
          try {
            return await measure(perch, options, clients);
          } finally {
            await Promise.all(clients.map((client) => client.end()));
          }
        })
      : Promise.resolve({ skipped: "this one needs root" }),
};

interface Abuse {
  what: string;
  deed(): Promise<unknown>;
}

async function measure(perch: Perch, { quick, say, signal }: Options, clients: Rude[]): Promise<Outcome> {
  await perch.type(["up"]);
  await perch.type(["postgres", "create", "--name", "pg"]);
  const apiPort = (await freePort()) ?? 0;
  await perch.type(["remote", "on", "--listen", `127.0.0.1:${apiPort}`]);
  const tls = { ca: await perch.type(["certs", "ca"]), servername: perchdName };
  const { token } = JSON.parse(await perch.type(["tokens", "create", "flood", "--json"])) as { token: string };
  const { network, daemon } = await statusOf(perch);
  const host = networkResolver(network.prefix.split(":").slice(0, 3).join(":"));
  const control = await connectNameServer(`${perch.home.runtime}/dns.sock`);
  const processes = { perchd: daemon.pid, "name server": (await control.ping()).pid };
  control.close();

  const inside = ["nsenter", `--net=/run/netns/perch-${perch.home.id}`, "--"];
  const [rude, outside, polite] = [rudeClient(inside), rudeClient(), rudeClient(inside)];
  clients.push(rude, outside, polite);
  await Promise.all(clients.map((client) => client.do("count", {})));
  const others = {
    names() {
      const answered = polite.do("names", { host, port: 53, name: "pg.internal", everyMs: 10, by: "udp" });
      return { stop: async () => (await polite.do("stop", { by: "udp" }), answered) };
    },
    API: () => asking(() => clientOf(perch.home).call("listApps", {}), 10),
  };

  const api = { host: "127.0.0.1", port: apiPort };
  const seconds = quick ? 1 : 3;
  const datagrams = (kind: "names" | "big" | "malformed") => () =>
    rude.do("datagrams", { host, port: 53, kind, sockets: 4, ms: seconds * 1_000 });
  const crowd = async (who: Rude, to: { host: string; port: number; localAddress?: string }) => {
    await who.do("crowd", { to, count: 10_000, atOnce: 200 });
    await who.do("leave", {});
  };
  const requests = (headers: Record<string, string>, localAddress: string) => () =>
    outside.do("requests", {
      to: { ...api, localAddress },
      tls,
      path: "/v1/apps",
      headers,
      connections: 50,
      fresh: false,
      ms: seconds * 1_000,
    });
  const head = `PUT /v1/apps/web/secrets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${2 ** 30}\r\n\r\n`;
  const abuses: readonly Abuse[] = [
    { what: "datagrams, names that are not there", deed: datagrams("names") },
    { what: "datagrams of 60 kB", deed: datagrams("big") },
    { what: "datagrams, malformed", deed: datagrams("malformed") },
    { what: "10,000 connections to the name server", deed: () => crowd(rude, { host, port: 53 }) },
    { what: "10,000 connections to the API by TLS", deed: () => crowd(outside, { ...api, localAddress: "127.0.0.2" }) },
    { what: "requests without a token, 50 at once", deed: requests({}, "127.0.0.3") },
    { what: "requests with a token, 50 at once", deed: requests({ authorization: `Bearer ${token}` }, "127.0.0.4") },
    {
      what: "a body of 1 GB",
      deed: () =>
        outside.do("body", { to: { ...api, localAddress: "127.0.0.5" }, tls, head, chunked: false, megabytes: 1_024 }),
    },
  ];

  const rows: Row[] = [];
  for (const { what, deed } of abuses) {
    const [peace, abused]: Borne<unknown>[][] = [[], []];
    for (let round = 0; round < (quick ? 1 : 5) && !signal.aborted; round++) {
      peace?.push(await bear({ what: "peace", processes, others, deed: () => pause(seconds * 1_000) }));
      abused?.push(await bear({ what, processes, others, deed }));
    }
    rows.push(...rowsOf(what, peace ?? [], abused ?? []));
    say(what);
  }
  return {
    rows,
    notes: [
      "In peace first, then during the abuse, in each round. A question for a name is one datagram, asked once; an answer after a second is none.",
    ],
  };
}

function rowsOf(what: string, peace: readonly Borne<unknown>[], abused: readonly Borne<unknown>[]): Row[] {
  const of = (rounds: readonly Borne<unknown>[], who: string, figure: (answered: Answered) => number) =>
    rounds.map(({ others }) => Number((others[who] === undefined ? Number.NaN : figure(others[who])).toFixed(2)));
  const pair = (who: string, unit: string, name: string, figure: (answered: Answered) => number): Row => {
    const values = { abuse: of(abused, who, figure), peace: of(peace, who, figure) };
    return { what: `${what}: ${who}, ${name}`, unit, values, ratio: ratios(values.abuse, values.peace) };
  };
  const memory = (who: string): Row => {
    const megabytes = (when: "before" | "most" | "after") =>
      abused.map(({ vitals }) => Math.round(vitals[who]?.[when].megabytes ?? Number.NaN));
    return {
      what: `${what}: ${who}, resident`,
      unit: "MB",
      values: { before: megabytes("before"), most: megabytes("most"), after: megabytes("after") },
    };
  };
  return [
    pair("names", "%", "answered", ({ asked, answered }) => (100 * answered) / asked),
    ...["names", "API"].flatMap((who) => [
      pair(who, "ms", "p50", ({ p50 }) => p50),
      pair(who, "ms", "p99", ({ p99 }) => p99),
    ]),
    memory("perchd"),
    memory("name server"),
  ];
}
