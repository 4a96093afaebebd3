/**
 * The private network of one home on this host: a Linux network namespace, the addresses on its loopback, and the
 * kernel map that leads port 5432 of every member to the leader. This room plans as text and sets the whole at once; it
 * may not know clusters, PostgreSQL or names.
 *
 * Start reading here, then `choose.ts` (which way a namespace is had), `root-namespace.ts` and `user-namespace.ts` (the
 * two ways), `rules.ts` (the map, pure), `interface.ts` (what is set), `enter.ts` (how `perch run` gets in), `relay.ts`
 * (portable mode's stand-in for the map).
 */
import type { Place } from "../host/process/place.ts";
import type { ProcessIdentity } from "../model/records.ts";
import type { Claim } from "./kernel/claims.ts";

export interface Namespace {
  readonly place: Place;
  /**
   * Makes what is missing, adopts what is there. Gives true when it made something new, so that nothing can be running
   * in it. `inside`: processes that lived in it when it was last seen; one that still does is what it is found by where
   * its name is gone.
   */
  ensure(inside?: readonly ProcessIdentity[]): Promise<boolean>;
  /**
   * Puts in its place again what others enter it by, where somebody took that away. Gives whether it had to. The
   * namespace lives on as long as this process does.
   */
  tend(): Promise<boolean>;
  /** What every namespace of Perch has, whatever the network. */
  claims(): Claim[];
  /** Takes it away. Twice is the same as once. */
  remove(): Promise<void>;
}

/** The system tools a namespace needs, with the Debian package that brings each. */
export const namespaceTools: readonly { program: string; package: string }[] = [
  { program: "ip", package: "iproute2" },
  { program: "nft", package: "nftables" },
  { program: "nsenter", package: "util-linux" },
  { program: "unshare", package: "util-linux" },
  { program: "setpriv", package: "util-linux" },
];
