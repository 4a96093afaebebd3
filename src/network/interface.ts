import { steadyNow } from "../base/clock.ts";
import { serialise } from "../base/serialise.ts";
import { run, succeeds } from "../host/process/command.ts";
import { type Place, serverUids } from "../host/process/place.ts";
import type { Claim } from "./kernel/claims.ts";
import { type Reach, reachText } from "./reach.ts";
import { addressCommands, addressLines, type RouteTable, routesText, tableText } from "./rules.ts";
import {
  doorQuestion,
  forgetAnswerCommands,
  holdSeconds,
  releaseCommands,
  renewalText,
  renewMs,
  waitingRoomCommands,
} from "./held-connections.ts";

/** Sets whole desired state inside the namespace: twice is the same as once. */
export interface NetworkInterface {
  setAddresses(wanted: readonly string[]): Promise<void>;
  /** Connections that are held stay so until the next call; when this process is gone, for some seconds. */
  setRoutes(routes: RouteTable): Promise<void>;
  /** What the kernel must hold after these two. */
  claims(): Claim[];
  /** Renews nothing any more. */
  stop(): void;
  /** Whose ports are whose. Nothing where servers and commands are one user. */
  setReach(reach: Omit<Reach, "users">): Promise<void>;
}

export function networkInterface(place: Place, prefix: string): NetworkInterface {
  let tableMade = false;
  let lastReach: string | undefined;
  let lastRoutes: string | undefined;
  let routesNow: RouteTable | undefined;
  let addressesNow: readonly string[] = [];
  let release: string | undefined;
  /** Undefined: a perchd before this one may have left some waiting. */
  let held: ReadonlySet<string> | undefined;
  /** When who is held was last told to the kernel. */
  let heldAt = 0;
  let renewing: NodeJS.Timeout | undefined;
  const inTurn = serialise();
  /** Undefined until they were asked for, and after a failure. */
  let present: readonly string[] | undefined;
  let lastAddresses: string | undefined;

  /** Gives what lets the waiting go; undefined where the system has no veth: a SYN that is to wait is then refused. */
  async function openWaitingRoom(): Promise<string | undefined> {
    await succeeds(place.tool(["ip", "-6", "-force", "-batch", "-"]), { input: waitingRoomCommands });
    // Without the table the question fails, and the whole is set.
    const door = await run(place.tool(doorQuestion)).catch(() => undefined);
    const [link] = door === undefined ? [] : (JSON.parse(door.stdout) as { address?: string }[]);
    return link?.address === undefined ? undefined : releaseCommands(link.address);
  }

  const tellNeighbours = async (input: string | undefined) => {
    if (input !== undefined && release !== undefined) await run(place.tool(["ip", "-6", "-batch", "-"]), { input });
  };
  const letGo = () => tellNeighbours(release);

  async function setRoutes(routes: RouteTable): Promise<void> {
    const text = routesText(routes);
    routesNow = routes;
    if (text === lastRoutes) return;
    if (!tableMade) release = await openWaitingRoom();
    // The first time also the table, in the same transaction: a restarted perchd finds its own there and changes the
    // elements only.
    await run(place.tool(["nft", "-f", "-"]), { input: tableMade ? text : tableText + text });
    tableMade = true;
    lastRoutes = text;
    heldAt = steadyNow();
    if (isOver(held, routes.held)) await letGo();
    else if (held === undefined) await tellNeighbours(forgetAnswerCommands);
    held = routes.held;
    clearInterval(renewing);
    if (held.size > 0)
      renewing = setInterval(
        // Elements that are not renewed end by themselves: the hold ends, and says so.
        () => void inTurn(() => renew([...routes.held].toSorted())).catch(() => undefined),
        renewMs,
      ).unref();
  }

  async function renew(addresses: readonly string[]): Promise<void> {
    await run(place.tool(["nft", "-f", "-"]), { input: renewalText(addresses) });
    // This process was stopped for so long that the hold ended by itself.
    if (steadyNow() - heldAt > holdSeconds * 1_000) await tellNeighbours(forgetAnswerCommands);
    heldAt = steadyNow();
  }

  async function setAddresses(wanted: readonly string[]): Promise<void> {
    const key = wanted.join(" ");
    addressesNow = wanted;
    if (key === lastAddresses) return;
    present ??= presentAddresses((await run(place.tool(["ip", "-json", "-6", "address", "show", "dev", "lo"]))).stdout);
    const commands = addressCommands(prefix, present, wanted);
    present = undefined;
    if (commands.length > 0)
      await run(place.tool(["ip", "-force", "-batch", "-"]), { input: `${commands.join("\n")}\n` });
    present = [...wanted];
    lastAddresses = key;
  }

  /** An address whose own route was deleted is one that nobody reaches: it gets the route again with the address. */
  async function dropRouteless(): Promise<void> {
    const { stdout } = await run(place.tool(["ip", "-json", "-6", "route", "show", "table", "local"]));
    const routed = new Set(
      (JSON.parse(stdout.trim() === "" ? "[]" : stdout) as { dst?: string }[]).map(({ dst }) => dst),
    );
    const commands = addressesNow
      .filter((address) => !routed.has(address))
      .map((address) => `address delete ${address}/128 dev lo\n`);
    if (commands.length > 0) await succeeds(place.tool(["ip", "-force", "-batch", "-"]), { input: commands.join("") });
  }

  /** As if this were the first time: of what was set before, nothing is believed. */
  async function setAgain(): Promise<void> {
    [present, lastAddresses, lastRoutes, tableMade, held] = [undefined, undefined, undefined, false, undefined];
    await dropRouteless();
    await setAddresses(addressesNow);
    if (routesNow !== undefined) await setRoutes(routesNow);
  }

  const tell = async (text: string): Promise<void> => void (await run(place.tool(["nft", "-f", "-"]), { input: text }));

  return {
    setAddresses: (wanted) => inTurn(() => setAddresses(wanted)),
    setRoutes: (routes) => inTurn(() => setRoutes(routes)),

    claims() {
      const set = () => inTurn(setAgain);
      const reach = lastReach;
      const first = [
        { name: "the network's addresses", ip: addressLines(addressesNow), set },
        ...(reach === undefined
          ? []
          : [{ name: "who may speak at a member's ports", nft: reach, set: () => tell(reach) }]),
      ];
      if (lastRoutes === undefined) return first;
      const room = release === undefined ? {} : { ip: waitingRoomCommands };
      return [...first, { name: "the map of port 5432", nft: tableText + lastRoutes, ...room, set }];
    },

    stop: () => clearInterval(renewing),

    async setReach(reach) {
      const users = serverUids(place);
      if (place.mode !== "root" || users.length === 0) return;
      const text = reachText({ ...reach, users });
      if (text === lastReach) return;
      await tell(text);
      lastReach = text;
    },
  };
}

/**
 * Whether somebody's hold ended. While all who were held still are, the map may change, and nobody is let go: who comes
 * out while held is dropped, and its TCP knocks again after a second only.
 */
const isOver = (before: ReadonlySet<string> | undefined, now: ReadonlySet<string>): boolean =>
  before === undefined ? now.size === 0 : [...before].some((address) => !now.has(address));

interface AddressListing {
  addr_info?: { local?: string }[];
}

function presentAddresses(json: string): string[] {
  const links = (json.trim() === "" ? [] : JSON.parse(json)) as AddressListing[];
  return links.flatMap((link) =>
    (link.addr_info ?? []).flatMap((info) => (info.local === undefined ? [] : [info.local])),
  );
}
