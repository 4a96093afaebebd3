import { describe, expect, it } from "vitest";
import type { WireGuardWish } from "../../src/wireguard/config.ts";
import type { WireGuardDevice } from "../../src/wireguard/device.ts";
import { keepWireGuard } from "../../src/wireguard/supervisor.ts";

const wish: WireGuardWish = {
  port: 51_820,
  privateKey: "secret=",
  publicKey: "own=",
  peers: [{ publicKey: "laptop=", address: "fdaa:1:2::a:1" }],
};

/** The device is what it was told last; the test says when it refuses. */
function keeping() {
  const seen = { set: [] as (WireGuardWish | "removed")[], said: [] as string[], lost: 0, refuses: false };
  const device = {
    set: (wanted: WireGuardWish) => {
      if (seen.refuses) return Promise.reject(new Error("no tun"));
      return Promise.resolve(void seen.set.push(wanted));
    },
    remove: () => Promise.resolve(void seen.set.push("removed")),
  } as unknown as WireGuardDevice;
  const keeper = keepWireGuard(
    device,
    (sentence) => void seen.said.push(sentence),
    () => seen.lost++,
  );
  return { keeper, seen };
}

describe("the WireGuard device as it was told to be", () => {
  it("is unknown until it was told something, and again when it could not be so", async () => {
    const { keeper, seen } = keeping();
    expect(keeper.told()).toEqual({ state: "unknown" });
    await keeper.set(wish);
    expect(keeper.told()).toEqual({ state: "open", ...wish });
    seen.refuses = true;
    await expect(keeper.set({ ...wish, port: 4 })).rejects.toThrow("no tun");
    expect(keeper.told()).toEqual({ state: "unknown" });
    await keeper.set(undefined);
    expect(keeper.told()).toEqual({ state: "closed" });
  });

  it("is lost when its process is, and says when it is there again", async () => {
    const { keeper, seen } = keeping();
    await keeper.set(wish);
    keeper.lost();
    expect([keeper.told().state, seen.lost, seen.said]).toEqual(["lost", 1, []]);
    await keeper.set(wish);
    expect(seen.said).toEqual(["the WireGuard device was gone and is made again"]);
  });

  it("is set once more with where its peers were heard since, and not at all while it is lost or closed", async () => {
    const { keeper, seen } = keeping();
    const heard = new Map([["laptop=", "198.51.100.7:4"]]);
    await keeper.again(heard);
    expect(seen.set).toEqual([]);
    await keeper.set(wish);
    await keeper.again(heard);
    expect(seen.set.at(-1)).toMatchObject({ peers: [{ publicKey: "laptop=", endpoint: "198.51.100.7:4" }] });
    keeper.lost();
    await keeper.again(heard);
    expect(seen.set).toHaveLength(2);
  });

  it("is gone for good when it is stopped: nothing makes it again", async () => {
    const { keeper, seen } = keeping();
    await keeper.set(wish);
    await keeper.stop();
    keeper.lost();
    await keeper.set(wish);
    expect([seen.set.at(-1), seen.lost]).toEqual(["removed", 0]);
  });
});
