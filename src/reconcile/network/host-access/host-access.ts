import { concernKey, type ConcernStep } from "../../../cluster/concern.ts";
import type { HostAccessWay } from "../../../cluster/ways.ts";
import type { NetworkRecord } from "../../../model/records.ts";
import { type NetworkConcern, networkConcernOf, type NetworkDue, type NetworkView } from "../concern.ts";

interface HostAccessStep extends ConcernStep {
  readonly concern: "host-access";
  readonly what: "open" | "close";
}

type HostAccessFacts = ReturnType<HostAccessWay["look"]>;
type Wish = Pick<NetworkRecord, "hostAccess" | "hostAccessPhase">;

const thing = "the host's way in";
export const hostAccessKey = concernKey("host-access", thing);

/** Whether it is as it is wanted; undefined before it was looked at. */
export const hostAccessIn = (view: NetworkView | undefined): HostAccessFacts | undefined =>
  view?.found.get("host-access") as HostAccessFacts | undefined;

/** Pure. What cannot be in this mode is not tried: who asks for it is told by the API. */
export function forHostAccess(
  { network, mode }: { network: Wish; mode: NetworkView["mode"] },
  facts: HostAccessFacts,
): NetworkDue<HostAccessStep>[] {
  const due = (what: HostAccessStep["what"], why: string): NetworkDue<HostAccessStep> => ({
    step: { do: "concern", concern: "host-access", what, thing },
    because: `${what} ${thing}: ${why}`,
  });
  if (mode !== "root") return [];
  if (network.hostAccess === true) {
    if (network.hostAccessPhase === "creating") return [due("open", "it was asked for")];
    if (facts === "left") return [{ ...due("open", "it was open when perchd ended"), quiet: true }];
    return facts === "open" ? [] : [due("open", "it is wanted, and is not there")];
  }
  return facts === "closed" ? [] : [due("close", "it is not wanted any more")];
}

/** The host's own way into the network. */
const hostAccess: NetworkConcern<HostAccessStep, HostAccessFacts> = {
  name: "host-access",
  observe: ({ hostAccess: way }) => Promise.resolve(way.look()),
  plan: forHostAccess,
  async apply({ what }, { hostAccess: way, state }) {
    await way.set(what === "open");
    if (what === "open") await state.network.update({}, ({ hostAccessPhase: _done, ...record }) => record);
  },
  /** Only what was just asked for is taken back: what worked once is tried again. */
  async undo({ what }, { state, say }, why) {
    const record = await state.network.get({});
    if (what !== "open" || record?.hostAccessPhase !== "creating") return false;
    await state.network.update({}, ({ hostAccess: _wish, hostAccessPhase: _phase, ...rest }) => rest);
    say("network", `this host does not reach the network: ${why.message}; that is taken back`);
    return true;
  },
};
export const hostAccessConcern = networkConcernOf(hostAccess);
