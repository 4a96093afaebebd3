import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fail, type PerchError } from "../../../src/errors/error.ts";
import { networkConcerns } from "../../../src/reconcile/network/concerns.ts";
import { hostAccessKey } from "../../../src/reconcile/network/host-access/host-access.ts";
import { type NetworkLoop, startNetworkLoop } from "../../../src/reconcile/network/loop.ts";
import { doorKey } from "../../../src/reconcile/network/peers/plan.ts";
import { type State, state as stateOf } from "../../../src/store/records.ts";
import { newStore } from "../../store/open.ts";
import { contextOf, type HeldContext } from "./context.ts";

/** The loop with its own concerns over a real store; the kernel is a variable. */
describe("the loop of the network", () => {
  const at = "2026-01-02T03:04:05.678Z";
  let state: State;
  let context: HeldContext;
  let loop: NetworkLoop;
  let failures: [string, PerchError][];

  beforeEach(async () => {
    state = stateOf((await newStore()).store);
    await state.network.create({ name: "default", prefix: "fdaa:1:2", nextMachine: 16, createdAt: at });
    context = contextOf({ state });
    failures = [];
  });
  afterEach(() => loop.stop());

  function begin(): void {
    loop = startNetworkLoop(context, networkConcerns());
    loop.watch({ onFailure: (thing, error) => failures.push([thing, error]) });
  }
  const wish = (phase: { hostAccessPhase?: "creating" }) =>
    state.network.update({}, (record) => ({ ...record, hostAccess: true, ...phase }));

  it("makes a wish true that it finds in the store, and says why", async () => {
    await wish({ hostAccessPhase: "creating" });
    begin();
    await loop.atRest();
    expect(context.host).toBe("open");
    expect(await state.network.get({})).not.toHaveProperty("hostAccessPhase");
    expect(context.said).toEqual(["open the host's way in: it was asked for"]);
  });

  it("takes a wish back that cannot be had, and tells who waits for it", async () => {
    context.refusal.host = fail("host_access_failed", { why: "no veth" });
    await wish({ hostAccessPhase: "creating" });
    begin();
    await loop.atRest();
    expect(failures.map(([thing, { code }]) => [thing, code])).toEqual([[hostAccessKey, "host_access_failed"]]);
    expect(await state.network.get({})).not.toHaveProperty("hostAccess");
    expect(loop.troubles()).toEqual([]);
  });

  it("tries again what was had once, says the failure once, shows it meanwhile, and says when it is over", async () => {
    context.refusal.host = fail("host_access_failed", { why: "no veth" });
    await wish({});
    begin();
    for (let tries = 0; tries < 3; tries++) {
      await loop.atRest();
      loop.retry();
    }
    await loop.atRest();
    expect(failures.length).toBeGreaterThanOrEqual(3);
    expect(loop.troubles()).toEqual([
      {
        thing: hostAccessKey,
        sentence: expect.stringMatching(/^could not open the host's way in: .*no veth/) as string,
      },
    ]);
    expect(context.said.filter((sentence) => sentence.startsWith("could not"))).toHaveLength(1);
    delete context.refusal.host;
    loop.retry();
    await loop.atRest();
    expect([context.host, loop.troubles(), context.said.at(-1)]).toEqual([
      "open",
      [],
      "the host's way in is well again",
    ]);
  });

  it("does not look again and again while what failed is being tried once more", async () => {
    context.refusal.host = fail("host_access_failed", { why: "no veth" });
    await wish({});
    begin();
    await loop.atRest();
    let passes = 0;
    loop.watch({ onPass: () => void passes++ });
    let finish = (): void => undefined;
    context.hostAccess.set = () => new Promise((resolve) => (finish = resolve));
    loop.retry();
    await new Promise((resolve) => setTimeout(resolve, 300));
    context.host = "open";
    finish();
    expect(passes).toBeLessThan(5);
  });

  it("forgets a failure of what is not wanted any more", async () => {
    context.refusal.host = fail("host_access_failed", { why: "no veth" });
    await wish({});
    begin();
    await loop.atRest();
    expect(loop.troubles()).toHaveLength(1);
    await state.network.update({}, ({ hostAccess: _wish, ...rest }) => rest);
    loop.wake();
    await loop.atRest();
    expect(loop.troubles()).toEqual([]);
  });

  it("looks at what it can when one thing cannot be looked at, and begins nothing on that", async () => {
    const peers = state.peers.list;
    state.peers.list = () => Promise.reject(new Error("the disk says no"));
    await wish({ hostAccessPhase: "creating" });
    begin();
    await loop.atRest();
    expect([context.host, context.told]).toEqual(["open", { state: "closed" }]);
    state.peers.list = peers;
  });

  it("takes back peers that were just asked for when the device cannot be set, and keeps those from before", async () => {
    const peer = (name: string) => ({
      name,
      publicKey: Buffer.from(name.padEnd(6)).toString("base64"),
      address: "fdaa:1:2::a:1",
      createdAt: at,
    });
    await state.network.update({}, (record) => ({
      ...record,
      wireguard: { publicKey: "b3du", sealed: "c2VhbGVk", port: 51_820, nextPeer: 2 },
    }));
    await state.peers.create(peer("laptop"));
    await state.peers.create({ ...peer("phone"), phase: "creating" });
    context.refusal.peers = fail("wireguard_failed", { why: "no device" });
    begin();
    await loop.atRest();
    expect((await state.peers.list()).map(({ name }) => name)).toEqual(["laptop"]);
    expect(failures[0]?.[0]).toBe(doorKey);
  });
});
