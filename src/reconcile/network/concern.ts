/**
 * The network as a whole has a loop of its own, for what is no cluster's: who may join, whether the host may, which
 * runs are there. Each is a folder with the four functions of a concern. Start with `loop.ts`, which turns.
 */
import type { ConcernStep } from "../../cluster/concern.ts";
import type { Context } from "../../cluster/context.ts";
import type { ClusterView, Trouble } from "../../cluster/view.ts";
import type { HostAccessWay, PeersWay, RunWay } from "../../cluster/ways.ts";
import type { PerchError } from "../../errors/error.ts";
import type { Place } from "../../host/process/place.ts";
import type { NetworkRecord } from "../../model/records.ts";

/** What they work with. */
export interface NetworkContext extends Pick<
  Context,
  "home" | "place" | "state" | "vault" | "log" | "publish" | "say"
> {
  hostAccess: Pick<HostAccessWay, "set" | "look">;
  peers: Pick<PeersWay, "set" | "told">;
  runs: Pick<RunWay, "present" | "sweep">;
  /** Of all clusters; undefined until each was looked at. */
  views(): readonly ClusterView[] | undefined;
}

export interface NetworkView {
  network: NetworkRecord;
  mode: Place["mode"];
  /** Concern → what it found. */
  found: ReadonlyMap<string, unknown>;
  /** Whatever a step is under way on, or failed on. */
  things: ReadonlyMap<string, { busy: string | undefined; trouble: Trouble | undefined }>;
  /** Milliseconds since the epoch. */
  now: number;
}

/** What is to be done, and the sentence why. */
export interface NetworkDue<S extends ConcernStep> {
  step: S;
  because: string;
  /** Everyday: it is in no event, and in the log where that tells everything. */
  quiet?: true;
}

/** As `Concern` of a cluster. `S`: its steps; `F`: what it finds. */
export interface NetworkConcern<S extends ConcernStep, F> {
  readonly name: S["concern"];
  /** Looks, and changes no record, no file and no process. */
  observe(context: NetworkContext): Promise<F>;
  /** Pure. */
  plan(view: NetworkView, facts: F): NetworkDue<S>[];
  /** Does a step; may be repeated. */
  apply(step: S, context: NetworkContext, view: NetworkView): Promise<void>;
  /** A step failed: takes a half-made wish back. Gives false where it is tried again instead. */
  undo(step: S, context: NetworkContext, why: PerchError): Promise<boolean>;
}

export type AnyNetworkConcern = NetworkConcern<ConcernStep, unknown>;

/** The loop gives a concern back only what came from it. */
export const networkConcernOf = <S extends ConcernStep, F>(concern: NetworkConcern<S, F>): AnyNetworkConcern => concern;
