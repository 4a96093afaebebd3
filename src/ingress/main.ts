import { writeSync } from "node:fs";
import { BlockList, isIPv6, type Server, type Socket } from "node:net";
import { steadyNow } from "../base/clock.ts";
import { serveControl } from "../host/sockets/control-server.ts";
import { doorAddress } from "../model/door-address.ts";
import { parseCidr } from "../model/exposure.ts";
import { giveUpRights } from "../host/process/rights.ts";
import { crowd } from "../host/sockets/connection-limiter.ts";
import { gate } from "../host/sockets/admission.ts";
import { lead } from "./relay.ts";
import { generation, type Settings, type Target, type Way, type Wish } from "./settings.ts";

/**
 * A door's process. It runs inside the namespace, where it dials; the sockets it listens on were made outside and come
 * over IPC. perchd may die and come back and finds it by the control socket. Once it has all that, it gives up every
 * right: it talks to strangers.
 */
function say(level: "info" | "error", msg: string): void {
  try {
    writeSync(1, `${JSON.stringify({ level, time: new Date().toISOString(), room: "door", msg })}\n`);
  } catch {
    return; // a log that cannot be written is no reason to shut
  }
}

function openDoor(settings: Settings) {
  let { wish } = settings;
  let allowed = allowing(wish.allow);
  const counts = { admitted: 0, refused: 0 };
  const keeper = gate(wish.limits, steadyNow);
  const inside = crowd(keeper);
  const clients = new Set<Socket>();

  function targets(way: Way, address: string): readonly Target[] {
    const all = wish[way];
    if (way === "leader" || all.length < 2) return all;
    // A request to cancel must come to the server that it is meant for, over a connection of its own.
    const first = [...address].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 0) % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }

  async function enter(client: Socket, way: Way): Promise<void> {
    const source = client.remoteAddress;
    const address = source === undefined ? undefined : doorAddress(settings.prefix, source);
    if (source === undefined || address === undefined || !allowed(source) || !inside.enter(client, address)) {
      counts.refused += 1;
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    counts.admitted += 1;
    clients.add(client);
    const heard = () => inside.recognise(client);
    await lead(client, address, () => targets(way, address), heard).finally(() => clients.delete(client));
  }

  return {
    serve(server: Server, way: Way) {
      server.on("connection", (client) => void enter(client, way).catch((error: Error) => say("error", error.message)));
      server.on("error", (error) => say("error", error.message));
    },
    answer(request: Record<string, unknown>): object {
      if ("ping" in request) {
        const shut = keeper
          .shut()
          .map(({ source, until }) => ({ address: source, until: new Date(until).toISOString() }));
        return { pid: process.pid, generation, listens: settings.listens, open: keeper.open, ...counts, shut };
      }
      if ("set" in request) {
        wish = request["set"] as Wish;
        allowed = allowing(wish.allow);
        keeper.setLimits(wish.limits);
        for (const client of clients)
          if (client.remoteAddress === undefined || !allowed(client.remoteAddress)) client.destroy();
        return { set: true };
      }
      if ("failed" in request) return { until: keeper.failed(String(request["failed"])) ?? null };
      return { error: "there is ping, set, failed and stop" };
    },
  };
}

/** Whether a source may come; everyone where no CIDR is given. */
function allowing(cidrs: readonly string[]): (source: string) => boolean {
  if (cidrs.length === 0) return () => true;
  const list = new BlockList();
  for (const { address, bits, family } of cidrs.map(parseCidr)) list.addSubnet(address, bits, family);
  return (source) => list.check(source.replace(/%.*$/, ""), isIPv6(source) ? "ipv6" : "ipv4");
}

let door: ReturnType<typeof openDoor> | undefined;
let open = false;

/** Everything that needs a right comes before the first stranger: the sockets are sent when this has been answered. */
async function begin(settings: Settings): Promise<void> {
  const made = openDoor(settings);
  await serveControl(settings.control, (request) => {
    if ("stop" in request) {
      setImmediate(() => process.exit(0));
      return { stopped: true };
    }
    return made.answer(request);
  });
  giveUpRights();
  door = made;
  say("info", `a public door opens at ${settings.listens.join(" and ")} (pid ${process.pid})`);
  process.send?.({ begun: true });
}

process.on("message", (message: { settings: Settings } | { way: Way } | { done: true }, handle: unknown) => {
  if ("settings" in message)
    begin(message.settings).catch((error: Error) => process.stderr.write(`${error.message}\n`, () => process.exit(1)));
  else if ("way" in message) door?.serve(handle as Server, message.way);
  else {
    open = true;
    process.send?.({ open });
  }
});
// Who started it is gone: half a door is none.
process.on("disconnect", () => {
  if (!open) process.exit(1);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
process.on("SIGHUP", () => undefined);
