import { checkHostname, isIPv4, parseListen } from "../../model/exposure.ts";
import { parseAddress } from "../../model/address.ts";
import type { RemoteRecord } from "../../model/records.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

type RemoteHandlers = Pick<Handlers, "showRemote" | "openRemote" | "closeRemote">;

export function remoteHandlers(deps: Deps): RemoteHandlers {
  const { state, events, remote } = deps;
  const show = async () => {
    const wish = await state.remote.get({});
    return {
      listen: wish?.listen ?? null,
      hostnames: wish?.hostnames ?? [],
      ...remote.state(),
      fingerprint: deps.context.authority.fingerprint,
    };
  };
  return {
    showRemote: show,

    async openRemote({ body }) {
      const { listen } = body;
      parseListen(listen, "--listen");
      const wish: RemoteRecord = { listen, hostnames: [...new Set(body.hostnames.map(checkName))] };
      await remote.set(wish);
      await state.commit([], [state.remote.put(wish)]);
      await events.append("network", `the API listens on ${listen} for other hosts: it was asked for`);
      return show();
    },

    async closeRemote() {
      const was = await state.remote.remove({});
      await remote.set(undefined);
      if (was) await events.append("network", "the API listens for this host alone: it was asked for");
      return show();
    },
  };
}

/** A certificate may name addresses, too. */
const checkName = (name: string): string =>
  isIPv4(name) || parseAddress(name) !== undefined ? name : checkHostname(name);
