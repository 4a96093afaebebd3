import { describe, expect, it } from "vitest";
import {
  admissionText,
  changeOf,
  linkCommands,
  peersIn,
  quietWords,
  wholeText,
  type WireGuardState,
  type WireGuardWish,
} from "../../src/wireguard/config.ts";

const laptop = { publicKey: "laptop=", address: "fdaa:1:2::a:1" };
const phone = { publicKey: "phone=", address: "fdaa:1:2::a:2" };
const wish: WireGuardWish = { port: 51_820, privateKey: "secret=", publicKey: "own=", peers: [laptop, phone] };
const state = (change: Partial<WireGuardState> = {}): WireGuardState => ({
  port: 51_820,
  publicKey: "own=",
  peers: [laptop, phone],
  ...change,
});

describe("what a device is told", () => {
  it("is the whole at first: each peer may have its own address and no other", () => {
    expect(wholeText({ ...wish, peers: [laptop] })).toBe(
      "[Interface]\nListenPort = 51820\nPrivateKey = secret=\n\n[Peer]\nPublicKey = laptop=\nAllowedIPs = fdaa:1:2::a:1/128\n",
    );
  });

  it("is to call who was heard before, until it is told to be quiet", () => {
    const called = { ...laptop, endpoint: "[2001:db8::7]:40000" };
    expect(wholeText({ ...wish, peers: [called] })).toContain(
      "\nEndpoint = [2001:db8::7]:40000\nPersistentKeepalive = 5\n",
    );
    expect(quietWords([called, phone])).toEqual(["peer", "laptop=", "persistent-keepalive", "0"]);
    expect(changeOf(state(), { ...wish, peers: [called, phone] })).toEqual({ kind: "nothing" });
  });

  it("is nothing where it is as it should be, so that its socket stays", () => {
    expect(changeOf(state(), wish)).toEqual({ kind: "nothing" });
    expect(changeOf(state({ peers: [phone, laptop] }), wish)).toEqual({ kind: "nothing" });
  });

  it("is who came and who went, and whose connections are to be ended", () => {
    const old = { publicKey: "old=", address: "fdaa:1:2::a:9" };
    expect(changeOf(state({ peers: [laptop, old] }), wish)).toEqual({
      kind: "peers",
      removed: [old],
      words: ["peer", "old=", "remove", "peer", "phone=", "allowed-ips", "fdaa:1:2::a:2/128"],
    });
  });

  it("is the whole again where the key or the port is another", () => {
    expect(changeOf(state({ port: 1 }), wish)).toEqual({ kind: "whole" });
    expect(changeOf(state({ publicKey: "other=" }), wish)).toEqual({ kind: "whole" });
  });

  it("is compared with what wg shows", () => {
    expect(peersIn("laptop=\tfdaa:1:2::a:1/128\nphone=\t(none)\n")).toEqual([
      laptop,
      { publicKey: "phone=", address: "(none)" },
    ]);
    expect(peersIn("")).toEqual([]);
  });
});

describe("whom the door lets in", () => {
  const text = admissionText("wg-1", "fdaa:1:2");
  it("is decided for its own device alone, before anything else", () => {
    expect(/^add rule inet perch peers .*/m.exec(text)?.[0]).toBe('add rule inet perch peers iifname != "wg-1" accept');
  });
  it("is who asks for a database or a name; the rest is refused, and nothing goes on to elsewhere", () => {
    expect(text).toContain("tcp dport { 53, 5432, 5433, 6432, 6433 } accept\n");
    expect(text.trimEnd().split("\n").slice(-2)).toEqual([
      "add rule inet perch peers reject with icmpx type admin-prohibited",
      'add rule inet perch beyond iifname "wg-1" drop',
    ]);
  });
});

it("peers are reached by the device", () => {
  expect(linkCommands("wg-1", "fdaa:1:2")).toContain("route replace fdaa:1:2::a:0/112 dev wg-1\n");
});
