import type { Log } from "../base/log.ts";
import type { Context } from "../cluster/context.ts";
import type { IngressWay, RunWay } from "../cluster/ways.ts";
import { askNameServer, type DigQuestion } from "../dns/ask.ts";
import { tryListen } from "../ingress/start.ts";
import type { Home } from "../host/system/home.ts";
import type { Warning } from "../capacity/facts.ts";
import { openNamespace } from "../network/choose.ts";
import { fewRights } from "../host/process/rights.ts";
import { type Dialler, openDialler } from "../network/dialler.ts";
import { type Outward, outward } from "../network/egress.ts";
import { type HostAccess, hostAccess } from "../network/host-access.ts";
import { type KernelKeeper, keepKernel } from "../network/kernel/supervisor.ts";
import type { Namespace } from "../network/namespace.ts";
import { runWay } from "../network/run-way.ts";
import { brokenNow, type Silent } from "./broken.ts";
import type { Kept } from "./open-state.ts";
import { type OpenOutlet, openOutlet } from "./outlet.ts";
import { refuseUnreachable } from "./prepare.ts";
import { type PublicDoors, publicDoors } from "./public-doors.ts";
import { serverUsers } from "./server-users.ts";
import { type WireGuardDoor, wireGuardDoor } from "./wireguard.ts";

interface Options {
  home: Home;
  version: string;
  log: Log;
  portable: boolean;
  progress(sentence: string): void;
  overrides: Context["overrides"];
  /** wireguard-go has died. */
  onLost(): void;
}

/** Everything of the network that is no cluster: where it is, the ways into and out of it, and what keeps them. */
export interface OpenNetwork extends OpenOutlet {
  namespace: Namespace;
  doors: PublicDoors;
  ingress: IngressWay;
  wireguard: WireGuardDoor;
  dialler: Dialler;
  outward: Outward;
  hostAccess: HostAccess;
  runs: RunWay;
  kernel: KernelKeeper | undefined;
  dig(question: DigQuestion): ReturnType<typeof askNameServer>;
  /** What of it is broken as of now; `troubles`: what its loop tries again. */
  broken(troubles: () => readonly Silent[]): Promise<Warning[]>;
}

/** What is there is adopted, what is missing is made. */
export async function openNetwork(options: Options, kept: Kept): Promise<OpenNetwork> {
  const { home, version, log, overrides, onLost } = options;
  const { state, tell, network: record } = kept;
  const { prefix } = record;
  const say = (sentence: string) => tell("network", sentence);
  const { namespace, fresh } = await openPlace(options, kept);
  const { place } = namespace;
  const doors = await publicDoors({ home, place, prefix, fresh, say: tell });
  const outlet = await openOutlet({
    home,
    place,
    prefix,
    version,
    state,
    overrides,
    fresh,
    log,
    tell,
    openDoors: doors.open,
  });
  const ways = {
    dialler: openDialler(() => place.tool(place.mode === "portable" ? [] : fewRights(place.mode))),
    outward: outward(home, place, say),
    hostAccess: hostAccess(home, place, prefix),
    runs: runWay(home, place, prefix),
    wireguard: wireGuardDoor({ home, place, prefix, state, say, onLost }),
  };
  const claims = () =>
    [namespace, outlet.network, doors, ways.wireguard, ways.hostAccess, ways.outward].flatMap(
      (each) => each?.claims() ?? [],
    );
  const kernel =
    place.mode === "portable" ? undefined : keepKernel({ place, enterable: () => namespace.tend(), claims, say });
  const silent = async () =>
    (await outlet.nameServer?.silent()) === true
      ? [{ thing: "the name server", sentence: "the name server does not answer; it is let go on, or replaced" }]
      : [];
  return {
    ...outlet,
    ...ways,
    namespace,
    doors,
    ingress: { look: (app) => doors.doors.look(app), state: (app) => doors.doors.state(app), tryListen },
    kernel,
    dig: (question) => askNameServer(place.tool([]), question),
    broken: (troubles) => brokenNow(kernel, silent, troubles, doors.doors.failed),
  };
}

/** The namespace, or what stands for it; and as whom PostgreSQL runs there. */
async function openPlace({ home, portable, progress }: Options, { state, tell }: Kept) {
  const users = await serverUsers(home);
  if (users?.because !== undefined)
    tell("network", `PostgreSQL runs as the distribution's user ${users.user.name}: ${users.because}`);
  const inside = (await state.machines.list()).flatMap(({ process: one }) => one ?? []);
  const opened = await openNamespace(home, {
    portable,
    postgres: users?.user,
    former: users?.former,
    inside,
  });
  await refuseUnreachable(home, opened.namespace.place, users?.user);
  if (opened.fellBack !== undefined) progress(`portable mode: ${opened.fellBack}`);
  return opened;
}
