import { steadyNow } from "../../base/clock.ts";
import { serialise } from "../../base/serialise.ts";
import type { Place } from "../../host/process/place.ts";
import { type Claim, type Learned, missing } from "./claims.ts";
import { watchKernel } from "./watch.ts";
import { listKernel, type Listings, readListings, sameListings } from "./snapshot.ts";

/**
 * What the kernel holds for a network, looked at when it says that something changed, and set again where it is not as
 * it was set.
 */
export interface KernelKeeper {
  /** Looks where something may have changed, sets again what is missing, and says so. */
  tend(): Promise<void>;
  /** Looks, and gives what is missing now; it is set again beside that. */
  look(): Promise<KernelFault[]>;
  /** Hears nothing any more. */
  stop(): void;
}

export interface KernelFault {
  /** Of which claim. */
  name: string;
  sentence: string;
}

export interface KernelOptions {
  place: Place;
  /** The namespace itself: gives whether it had to be put in its place again. */
  enterable(): Promise<boolean>;
  claims(): readonly Claim[];
  say(sentence: string): void;
}

/** It is looked at so often though nothing was heard. */
const sureMs = 60_000;
/** It is looked at when nothing was heard for so long; where it goes on changing, as often as before it was heard. */
const quietMs = 500;
const gatherMs = 10_000;
/** What somebody takes away again and again is set as often, and told so often. */
const sayAgainMs = 60_000;

export function keepKernel({ place, enterable, claims, say }: KernelOptions): KernelKeeper {
  const inTurn = serialise();
  const learned: Learned = new Map();
  const said = new Map<string, number>();
  /** All was well with these listings and these claims. */
  let well: { listings: Listings; claimed: string } | undefined;
  let faults: KernelFault[] = [];
  let [changed, lookedAt] = [true, 0];
  let soon: { timer: NodeJS.Timeout; since: number } | undefined;
  const watch = watchKernel(place, () => {
    changed = true;
    const [now, since] = [steadyNow(), soon?.since ?? steadyNow()];
    clearTimeout(soon?.timer);
    const look = () => {
      soon = undefined;
      void inTurn(tend);
    };
    soon = { timer: setTimeout(look, Math.min(quietMs, Math.max(0, since + gatherMs - now))).unref(), since };
  });

  function tell(sentence: string): void {
    const now = steadyNow();
    for (const [old, at] of said) if (now - at > sayAgainMs) said.delete(old);
    if (said.has(sentence)) return;
    said.set(sentence, now);
    say(sentence);
  }

  const claimedNow = () => JSON.stringify(claims().map(({ name, ip, nft }) => [name, ip, nft]));

  /** Undefined: what is claimed changed while it was looked. */
  async function find(): Promise<{ claim: Claim; what: string[] }[] | undefined> {
    const claimed = claimedNow();
    const listings = await listKernel(place);
    if (claimed !== claimedNow()) return undefined;
    if (well?.claimed === claimed && sameListings(well.listings, listings)) return [];
    const snapshot = readListings(listings);
    const found = claims().map((claim) => ({ claim, what: missing(claim, snapshot, learned) }));
    const broken = found.filter(({ what }) => what.length > 0);
    well = broken.length === 0 ? { listings, claimed } : undefined;
    return broken;
  }

  async function tend(): Promise<void> {
    try {
      if (await enterable()) tell("the network's namespace had lost its name: it is entered as before");
      const heard = watch.hears();
      if (heard && !changed && faults.length === 0 && steadyNow() - lookedAt < sureMs) return;
      [changed, lookedAt] = [false, steadyNow()];
      const broken = await find();
      if (broken === undefined) return void (changed = true);
      for (const { claim, what } of broken) {
        await claim.set();
        tell(`the kernel did not hold any more what was set: ${listed(what)} (${claim.name}); it is set again`);
      }
      faults = broken.length === 0 ? [] : faultsOf((await find()) ?? []);
    } catch (error) {
      changed = true;
      const why = error instanceof Error ? error.message : String(error);
      faults = [
        { name: "the network", sentence: `what the kernel holds for the network cannot be looked at or set: ${why}` },
      ];
      tell(faults[0]?.sentence ?? "");
    }
  }

  return {
    tend: () => inTurn(tend),
    look: () =>
      inTurn(async () => {
        // Looked at again at the next turn; what cannot be read then is named by its claim.
        const broken = await find().catch(() => undefined);
        const now = broken === undefined ? faults : faultsOf(broken);
        if (broken === undefined || broken.length > 0) {
          changed = true;
          void inTurn(tend);
        }
        return now;
      }),
    stop() {
      clearTimeout(soon?.timer);
      watch.stop();
    },
  };
}

const faultsOf = (broken: readonly { claim: Claim; what: string[] }[]): KernelFault[] =>
  broken.map(({ claim, what }) => ({
    name: claim.name,
    sentence: `the kernel does not hold what was set: ${listed(what)} (${claim.name})`,
  }));

const listed = (what: readonly string[]): string =>
  what.length <= 3 ? what.join(", ") : `${what.slice(0, 3).join(", ")} and ${what.length - 3} more`;
