import { fail } from "../../errors/error.ts";
import { networkResolver, regionResolver } from "../../model/address.ts";
import { checkRegion } from "../../model/name.ts";
import { findRegion } from "../../model/region.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";

type NetworkHandlers = Pick<Handlers, "status" | "shutdown" | "events" | "dig">;

/** What the network as a whole is asked. */
export function networkHandlers(deps: Deps, listClusters: Handlers["listClusters"]): NetworkHandlers {
  const { state, place, prefix } = deps;
  return {
    async status(_input, call) {
      const machines = await state.machines.list();
      const network = await state.network.get({});
      return {
        network: {
          name: network?.name ?? "default",
          prefix: `${prefix}::/48`,
          mode: place.mode,
          resolver: place.mode === "portable" ? null : networkResolver(prefix),
        },
        daemon: {
          pid: process.pid,
          version: deps.version,
          since: deps.since,
          home: deps.home.root,
          memoryBytes: process.memoryUsage.rss(),
          loopDelay: deps.loopDelay(),
        },
        warnings: [...(await deps.broken()), ...(await deps.warnings())],
        clusters: await listClusters({ params: {}, query: {}, body: {} }, call),
        apps: (await state.apps.list())
          .filter((app) => app.kind === "app")
          .map((app) => ({
            name: app.name,
            runs: machines.filter((machine) => machine.kind === "run" && machine.app === app.name).length,
          })),
      };
    },

    async shutdown(_input, call) {
      await deps.shutdown((sentence) => call.progress(sentence));
      return {};
    },

    events: ({ query }, call) => eventFeed(deps, query, call),

    async dig({ body }) {
      if (place.mode === "portable") throw fail("portable_mode", { what: "perch dig" });
      const region = body.region === undefined ? undefined : findRegion(checkRegion(body.region));
      const server = region === undefined ? networkResolver(prefix) : regionResolver(prefix, region);
      return deps.dig({ name: body.name, type: body.type, server, tcp: body.tcp });
    },
  };
}

async function* eventFeed(
  { events }: Deps,
  query: { follow: boolean; subject?: string | undefined; last: number },
  call: Call,
): ReturnType<Handlers["events"]> {
  const wanted = { last: query.last, subject: query.subject };
  if (!query.follow) {
    yield* await events.list(wanted);
    return;
  }
  const waiting: Awaited<ReturnType<typeof events.list>> = [];
  let wake: () => void = () => undefined;
  const stop = await events.follow(wanted, (event) => {
    waiting.push(event);
    wake();
  });
  call.signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!call.signal.aborted) {
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
