import { describe, expect, it } from "vitest";
import type { PeersTold } from "../../../../src/cluster/ways.ts";
import type { PeerRecord } from "../../../../src/model/records.ts";
import { forPeers } from "../../../../src/reconcile/network/peers/plan.ts";

const own = { publicKey: "own=", sealed: "c2VhbGVk", port: 51_820, nextPeer: 3 };
const peer = (name: string, more: Partial<PeerRecord> = {}): PeerRecord => ({
  name,
  publicKey: `${name}=`,
  address: `fdaa:1:2::a:${name.length}`,
  createdAt: "2026-01-02T03:04:05.678Z",
  ...more,
});
const laptop = peer("laptop");
const open = (...peers: PeerRecord[]): PeersTold => ({ state: "open", port: own.port, publicKey: "own=", peers });
const planned = (
  peers: readonly PeerRecord[],
  told: PeersTold,
  more: { mode?: "portable"; clustersKnown?: false } = {},
) =>
  forPeers(
    { network: { wireguard: own }, mode: more.mode ?? "root" },
    { peers, told, clustersKnown: more.clustersKnown ?? true },
  ).map(({ because, quiet }) => (quiet === true ? `(${because})` : because));

describe("what is done about peers", () => {
  it("is nothing while the device is as the records say, wherever a peer was heard meanwhile", () => {
    expect(planned([laptop, peer("phone")], open(peer("phone"), laptop))).toEqual([]);
    expect(planned([peer("laptop", { endpoint: "198.51.100.7:4" })], open(laptop))).toEqual([]);
    expect(planned([], { state: "closed" })).toEqual([]);
  });

  it("opens the door for the first, changes it for the next, and admits one when the device knows it", () => {
    const creating = peer("phone", { phase: "creating" });
    expect(planned([creating], { state: "closed" })).toEqual([
      "open the WireGuard door: peer phone may join, on UDP port 51820",
    ]);
    expect(planned([laptop, creating], open(laptop))).toEqual([
      "change the WireGuard door: peers laptop, phone may join",
    ]);
    expect(planned([laptop, creating], open(laptop, creating))).toEqual([
      "admit peer phone: the WireGuard door knows it",
    ]);
  });

  it("shuts out first, and ends sessions then; the last one takes the door along", () => {
    const going = peer("phone", { phase: "destroying" });
    expect(planned([laptop, going], open(laptop, going))).toEqual(["change the WireGuard door: peer laptop may join"]);
    expect(planned([laptop, going], open(laptop))).toEqual([
      "remove peer phone: it is shut out, and its sessions are ended",
    ]);
    expect(planned([going], open(going))).toEqual(["close the WireGuard door: there is no peer any more"]);
    expect(planned([going], { state: "closed" })).toHaveLength(1);
  });

  it("ends no sessions, and keeps the record, before every cluster was looked at", () => {
    expect(planned([peer("phone", { phase: "destroying" })], { state: "closed" }, { clustersKnown: false })).toEqual(
      [],
    );
  });

  it("sets the device again when it is lost, and without a word when perchd has just begun", () => {
    expect(planned([laptop], { state: "lost" })).toEqual([
      "open the WireGuard door: its device is gone, and peer laptop may join",
    ]);
    expect(planned([laptop], { state: "unknown" })).toEqual([
      "(open the WireGuard door: it is wanted on UDP port 51820, for peer laptop)",
    ]);
    expect(planned([], { state: "unknown" })).toEqual(["(close the WireGuard door: there is no peer)"]);
  });

  it("has no device where there is no root, and still forgets who is removed", () => {
    expect(planned([laptop], { state: "closed" }, { mode: "portable" })).toEqual([]);
    expect(planned([peer("phone", { phase: "destroying" })], { state: "closed" }, { mode: "portable" })).toHaveLength(
      1,
    );
  });
});
