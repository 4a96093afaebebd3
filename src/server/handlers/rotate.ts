import { serialiseBy } from "../../base/serialise.ts";
import { steadyNow } from "../../base/clock.ts";
import { expectsLeader, type ClusterView, leaderOf, leads, whyNotLed } from "../../cluster/view.ts";
import { fail } from "../../errors/error.ts";
import { checkPassword } from "../../model/secret.ts";
import { isRotated, rotationKeys } from "../../reconcile/concerns/logins/plan.ts";
import { withdraw } from "../../reconcile/concerns/logins/rotate.ts";
import { randomPassword } from "../../vault/random-password.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";
import { requireApp } from "./apps.ts";
import { chooseAttachment } from "./attachments.ts";
import { requireCluster } from "./cluster.ts";
import { type Asked, ownerOf, type RotationWish, wishFor } from "./rotation-wish.ts";

/**
 * A new password for a role: what is wanted is checked and written down, the loop makes it so (the concern `logins`),
 * and the caller hears when it is.
 */
export function rotationHandlers(deps: Deps): Pick<Handlers, "rotateUser" | "rotateAttachment"> {
  /** One at a time in a cluster: what is chosen for one must still be free when it is made. */
  const inTurn = serialiseBy();
  const rotate = (
    cluster: string,
    named: string,
    { password, overlap }: { password?: string | undefined; overlap?: number | undefined },
    call: Call,
  ) =>
    inTurn(cluster, async () => {
      const user = await ownerOf(deps, cluster, named);
      const asked: Asked = {
        cluster,
        user,
        password: password === undefined ? randomPassword() : checkPassword(password),
        overlap,
      };
      const wish = await wishFor(deps, asked);
      await fulfilled(deps, call, asked);
      return { user, password: asked.password, ...(await rotated(deps, asked, wish)) };
    });
  return {
    rotateUser: ({ params, body }, call) => rotate(params.cluster, params.user, body, call),
    async rotateAttachment({ params, body }, call) {
      const app = await requireApp(deps, body.app);
      const found = (await deps.state.attachments.list({ cluster: params.cluster, app: app.name })).filter(
        ({ phase, variable }) => phase === "ready" && (body.variable === undefined || variable === body.variable),
      );
      const { user } = chooseAttachment(found, app.name, params.cluster);
      const { password: _secret, ...shown } = await rotate(params.cluster, user, body, call);
      return shown;
    },
  };
}

/** Where the cluster has lost its leader for good meanwhile, the wish is withdrawn. */
async function fulfilled(deps: Deps, call: Call, { cluster, user }: Asked): Promise<void> {
  const { record, loop } = await requireCluster(deps, cluster);
  const since = steadyNow();
  const how = await settle(loop, call, {
    what: `rotating the password of ${user}`,
    things: rotationKeys(user),
    done: (view) => (view === undefined ? "gone" : view.now > since ? standOf(view, user) : undefined),
  });
  if (how === "gone") throw fail("app_not_found", { app: cluster });
  if (how === "done") return;
  if (await withdraw(deps.state, { cluster, user: encodeURIComponent(user) }))
    throw fail("no_active_leader", { app: cluster, why: how.why, machine: record.leader });
}

function standOf(view: ClusterView, user: string): "done" | { why: string } | undefined {
  if (isRotated(view, user) === true) return "done";
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  return led || expectsLeader(view) ? undefined : { why: whyNotLed(leader) };
}

interface Rotated {
  /** As whom the new password logs in. */
  login: string;
  apps: string[];
  /** What works a while longer. `sooner`: it ends when all that was started with it has ended. */
  former: { login: string; until: string; sooner: boolean } | null;
}

async function rotated({ state }: Deps, { cluster, user }: Asked, { login, before }: RotationWish): Promise<Rotated> {
  const attached = (await state.attachments.list({ cluster })).filter(
    (attachment) => attachment.user === user && attachment.phase === "ready",
  );
  const former = await state.formerLogins.get({ cluster, login: encodeURIComponent(before) });
  const works = former !== undefined && before !== login && Date.parse(former.until) > Date.now();
  return {
    login,
    apps: attached.map(({ app }) => app),
    former: works ? { login: before, until: former.until, sooner: (former.runs ?? []).length > 0 } : null,
  };
}
