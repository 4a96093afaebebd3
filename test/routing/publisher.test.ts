import { describe, expect, it } from "vitest";
import { openLog } from "../../src/base/log.ts";
import type { ZoneData } from "../../src/dns/zone-data.ts";
import type { RouteTable } from "../../src/network/rules.ts";
import { publisher } from "../../src/routing/publisher.ts";
import type { Shown } from "../../src/routing/table.ts";
import { cluster, leading, member } from "../reconcile/world.ts";

const log = openLog({ write: () => undefined });
const shown = (): Shown => ({
  prefix: "fdaa:1:2",
  apps: [],
  peers: [],
  runs: [],
  overrides: new Map(),
  views: [cluster([member("a1", leading)])],
});

/** A network that notes what is set in it, and can be slow. */
function notebook(slow: () => Promise<void> = () => Promise.resolve()) {
  const notes = { addresses: 0, routes: [] as number[], zones: [] as ZoneData[] };
  const network = {
    setAddresses: async () => {
      await slow();
      notes.addresses++;
    },
    setReach: () => Promise.resolve(),
    setRoutes: ({ leaders }: RouteTable) => Promise.resolve(void notes.routes.push(leaders.size)),
  };
  const setZone = (zone: ZoneData) => Promise.resolve(void notes.zones.push(zone));
  return { notes, outlet: { kind: "namespace" as const, network, setZone, openDoors: () => undefined } };
}

describe("the publisher", () => {
  it("sets nothing before every loop has looked: a new perchd must not take routes away", async () => {
    const { notes, outlet } = notebook();
    await publisher(outlet, () => Promise.resolve(undefined), log).publish();
    expect(notes).toEqual({ addresses: 0, routes: [], zones: [] });
  });

  it("tells the name server only what changed", async () => {
    const { notes, outlet } = notebook();
    const network = publisher(outlet, () => Promise.resolve(shown()), log);
    await network.publish();
    await network.publish();
    expect([notes.addresses, notes.zones.length]).toEqual([2, 1]);
  });

  it("serves calls that come during a turn with one more turn, which has seen what they saw", async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { notes, outlet } = notebook(() => gate);
    let gathered = 0;
    const network = publisher(outlet, () => Promise.resolve((gathered++, shown())), log);
    const first = network.publish();
    await Promise.resolve();
    const later = [network.publish(), network.publish(), network.publish()];
    open();
    await Promise.all([first, ...later]);
    expect(gathered).toBeLessThanOrEqual(2);
    expect(notes.addresses).toBe(gathered);
  });

  it("goes on after a failure", async () => {
    let broken = true;
    const { notes, outlet } = notebook(() =>
      broken ? Promise.reject(new Error("no such device")) : Promise.resolve(),
    );
    const network = publisher(outlet, () => Promise.resolve(shown()), log);
    await network.publish();
    broken = false;
    await network.publish();
    expect(notes.routes).toEqual([1]);
  });
});
