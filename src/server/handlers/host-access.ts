import { fail } from "../../errors/error.ts";
import { hostAccessIn, hostAccessKey } from "../../reconcile/network/host-access/host-access.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";

/**
 * Whether the host may reach the network. The wish is kept, so that `perch up` brings it back; one that cannot be had
 * is taken back.
 */
export function hostAccessHandlers(deps: Deps): Pick<Handlers, "hostAccess" | "setHostAccess"> {
  const { state, hostAccess, events, network, place } = deps;
  return {
    hostAccess: () => hostAccess.state(),

    async setHostAccess({ body: { on } }, call) {
      const before = await state.network.get({});
      if (before === undefined) throw fail("internal", { why: "the network has no record" });
      if (on && place.mode === "portable") throw fail("portable_mode", { what: "perch host-access" });
      if (on && place.mode === "user") throw fail("host_access_needs_root", {});
      const changes = (before.hostAccess === true) !== on;
      if (changes)
        await state.network.update({}, ({ hostAccess: _wish, hostAccessPhase: _phase, ...rest }) =>
          on ? { ...rest, hostAccess: true, hostAccessPhase: "creating" } : rest,
        );
      network.retry();
      await settle(network, call, {
        what: on ? "letting this host reach the network" : "shutting this host's way into the network",
        things: [hostAccessKey],
        done: (view) =>
          (view?.network.hostAccess === true) === on &&
          view?.network.hostAccessPhase === undefined &&
          (place.mode !== "root" || hostAccessIn(view) === (on ? "open" : "closed"))
            ? true
            : undefined,
      });
      if (changes)
        await events.append(
          "network",
          on
            ? "this host may reach the network: it was asked for"
            : "this host may no longer reach the network: it was asked for",
        );
      return hostAccess.state();
    },
  };
}
