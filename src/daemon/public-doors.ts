import { type Doors, openDoors } from "../ingress/ingresses.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { fewRights } from "../host/process/rights.ts";
import { doorwayClaim, openDoorway } from "../network/ingress-addresses.ts";
import type { Claim } from "../network/kernel/claims.ts";
import { doorsOf } from "../routing/ingresses.ts";
import type { ClusterView } from "../cluster/view.ts";
import { wrongPasswords } from "./wrong-passwords.ts";

/** The public doors of a network and what tells them of wrong passwords. */
export interface PublicDoors {
  doors: Doors;
  /** Those that there should be by now. Returns at once. */
  open(views: readonly ClusterView[]): void;
  /** What the kernel holds for those that are open. */
  claims(): Claim[];
  stop(): Promise<void>;
}

interface At {
  home: Home;
  place: Place;
  prefix: string;
  fresh: boolean;
  say(app: string, sentence: string): void;
}

export async function publicDoors({ home, place, prefix, fresh, say }: At): Promise<PublicDoors> {
  const portable = place.mode === "portable";
  const network = portable ? undefined : prefix;
  /** By this perchd, or by one before it whose doors it found open. */
  let prepared = false;
  const doors = await openDoors({
    directory: `${home.runtime}/doors`,
    prefix: network,
    enter: () => place.tool(portable ? [] : fewRights(place.mode)),
    async prepare() {
      await openDoorway(place, prefix);
      prepared = !portable;
    },
    fresh,
    outputFd: 2,
    say,
  });
  const passwords = wrongPasswords({ home, prefix: network, doors, say });
  return {
    doors,
    open(views) {
      const wanted = doorsOf(views, portable);
      prepared &&= wanted.size > 0;
      doors.set(wanted);
      passwords.watch(views);
    },
    claims: () => (prepared ? [doorwayClaim(place, prefix)] : []),
    async stop() {
      passwords.stop();
      await doors.stop();
    },
  };
}
