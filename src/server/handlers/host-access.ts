import { fail } from "../../errors/error.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

/**
 * Whether the host may reach the network. What was wished is kept, so that `perch up` brings it back; it is kept only
 * when it could be had.
 */
export function hostAccessHandlers({
  state,
  hostAccess,
  events,
}: Deps): Pick<Handlers, "hostAccess" | "setHostAccess"> {
  return {
    hostAccess: () => hostAccess.state(),

    async setHostAccess({ body }) {
      const record = await state.network.get({});
      if (record === undefined) throw fail("internal", { why: "the network has no record" });
      await hostAccess.set(body.on);
      if ((record.hostAccess === true) !== body.on) {
        await state.network.update(record, ({ hostAccess: _before, ...rest }) =>
          body.on ? { ...rest, hostAccess: true } : rest,
        );
        await events.append(
          "network",
          body.on
            ? "this host may reach the network: it was asked for"
            : "this host may no longer reach the network: it was asked for",
        );
      }
      return hostAccess.state();
    },
  };
}
