import { clusterHost } from "../../model/attachment-url.ts";
import { leaderPort, memberPort } from "../../model/ports.ts";
import { fail } from "../../errors/error.ts";
import { portableHost } from "../../model/address.ts";
import { checkIdentifier, checkRegion } from "../../model/name.ts";
import type { ClusterRecord } from "../../model/records.ts";
import { optionsFor } from "../../cluster/leader/connections.ts";
import { logsOf } from "../../cluster/logs.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { knownLogin } from "./known-login.ts";
import { inside } from "./runs.ts";

type SessionHandlers = Pick<Handlers, "session" | "clusterLogs">;

export function sessionHandlers(deps: Deps): SessionHandlers {
  const { context, state, place } = deps;
  /** The relay to the leader, or that region's own member where it has one. */
  const portablePort = async (cluster: ClusterRecord, region: string | undefined): Promise<number> => {
    const member = (await state.machines.list()).find(
      (machine) => machine.app === cluster.app && machine.region === region,
    );
    return member?.portablePort ?? cluster.portablePort ?? leaderPort;
  };
  return {
    /**
     * With a region: its nearest member itself, which the order of the region's resolver finds. Without: the leader.
     */
    async session({ params, body }) {
      const { record, loop } =
        body.region === undefined
          ? await requireLeader(deps, params.cluster)
          : await requireCluster(deps, params.cluster);
      const user = checkIdentifier(body.user, "user");
      const attachment = (await state.attachments.list({ cluster: record.app })).find(
        (candidate) => candidate.user === user && candidate.phase === "ready",
      );
      const { login, password } = await knownLogin(deps, record.app, attachment, user);
      const options = await optionsFor(context, loop.view(), { user, attachment, database: body.database });
      const app = await state.apps.get({ name: record.app });
      const region = body.region === undefined ? (app?.primaryRegion ?? "ams") : checkRegion(body.region);
      const portable = place.mode === "portable";
      const host = portable ? portableHost : clusterHost(record.app);
      const port = portable
        ? await portablePort(record, body.region)
        : body.region === undefined
          ? leaderPort
          : memberPort;
      return {
        ...(await inside(deps, region, undefined)),
        host,
        port,
        env: {
          PGHOST: host,
          PGPORT: String(port),
          PGUSER: login,
          PGDATABASE: body.database ?? attachment?.database ?? "postgres",
          ...(password === undefined ? {} : { PGPASSWORD: password }),
          ...(options === undefined ? {} : { PGOPTIONS: options }),
        },
      };
    },

    clusterLogs: ({ params, query }, call) => logFeed(deps, params.cluster, query, call),
  };
}

type Line = { at: string; machine: string; region: string; level: string; message: string };

/** The last lines of all members in the order of their times, then each new one as it comes. */
async function* logFeed(
  deps: Deps,
  app: string,
  query: { follow: boolean; machine?: string | undefined; last: number },
  call: Call,
): AsyncGenerator<Line> {
  const { record } = await requireCluster(deps, app);
  const machines = (await deps.state.machines.list()).filter(
    (machine) => machine.app === record.app && (query.machine === undefined || machine.id === query.machine),
  );
  if (machines.length === 0) throw fail("machine_not_found", { machine: query.machine ?? record.leader });
  const named = (
    machine: { id: string; region: string },
    { at, level, message }: { at: string; level: string; message: string },
  ): Line => ({
    at,
    level,
    message,
    machine: machine.id,
    region: machine.region,
  });

  const logs = await Promise.all(
    machines.flatMap((machine) =>
      logsOf(deps.home, machine.id, query.last).map(async (begun) => ({ machine, ...(await begun) })),
    ),
  );
  const sorted = logs
    .flatMap(({ machine, past }) => past.map((line) => named(machine, line)))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  yield* query.last === 0 ? [] : sorted.slice(-query.last);
  if (!query.follow) return;

  const waiting: Line[] = [];
  let wake: () => void = () => undefined;
  for (const log of logs) void pump(log);
  async function pump({ machine, follow }: (typeof logs)[number]): Promise<void> {
    for await (const line of follow(call.signal)) {
      waiting.push(named(machine, line));
      wake();
    }
  }
  call.signal.addEventListener("abort", () => wake(), { once: true });
  while (!call.signal.aborted) {
    const line = waiting.shift();
    if (line !== undefined) yield line;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}
