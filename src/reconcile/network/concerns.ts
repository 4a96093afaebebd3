import type { AnyNetworkConcern } from "./concern.ts";
import { hostAccessConcern } from "./host-access/host-access.ts";
import { peersConcern } from "./peers/peers.ts";
import { runsConcern } from "./runs/runs.ts";

/** Everything the network has that is no cluster's. A new one is a folder here and a line below. */
export const networkConcerns = (): readonly AnyNetworkConcern[] => [peersConcern, hostAccessConcern, runsConcern()];
