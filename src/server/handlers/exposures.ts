import type { RouteInput } from "../../api/route.ts";
import type { routes } from "../../api/routes.ts";
import { fail } from "../../errors/error.ts";
import {
  checkHostname,
  defaultLimits,
  type Exposure,
  isEverywhere,
  parseCidr,
  parseListen,
} from "../../model/exposure.ts";
import { requireGiven } from "../../cluster/certificates.ts";
import { exposureIn, exposureKey, isSet, withoutHalfMade } from "../../reconcile/concerns/exposures/plan.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import { exposureShape } from "../views/exposure.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";

type ExposureHandlers = Pick<Handlers, "listExposures" | "expose" | "unexpose">;
type Asked = RouteInput<(typeof routes)["expose"]>["body"];

/**
 * Public doors. What was asked for is checked whole, written down, and waited for; when the door cannot be opened, all
 * is as before.
 */
export function exposureHandlers(deps: Deps): ExposureHandlers {
  const { state, events } = deps;

  return {
    async listExposures() {
      const clusters = await state.clusters.list();
      return Promise.all(
        clusters.flatMap(({ exposure, ...record }) =>
          exposure === undefined ? [] : [exposureShape(deps, record, exposure)],
        ),
      );
    },

    async expose({ params, body }, call) {
      const { record, loop } = await requireLeader(deps, params.cluster);
      const { app } = record;
      const exposure = await wanted(deps, body, record.exposure);
      await state.clusters.update({ app }, (current) => {
        const before = whole(current.exposure);
        return {
          ...current,
          exposure: {
            ...exposure,
            ...(before?.superusers === undefined ? {} : { superusers: before.superusers }),
            ...(before === undefined ? {} : { before }),
          },
        };
      });
      await settle(loop, call, {
        what: `opening ${app} to the public`,
        things: [exposureKey],
        done: (view) => {
          const now = view?.cluster.exposure;
          return now?.createdAt === exposure.createdAt && now.phase === undefined ? true : undefined;
        },
        undone: (view) => view?.cluster.exposure?.createdAt !== exposure.createdAt,
        cancel: async () =>
          void (await state.clusters.update({ app }, (current) => withoutHalfMade(current, exposure.createdAt))),
      });
      const who = exposure.allow.length === 0 ? "everyone" : exposure.allow.join(", ");
      const everywhere = isEverywhere(parseListen(exposure.listen, "--listen")) ? ", every address of this host" : "";
      await events.append(
        app,
        `${app} is open to ${who} as ${exposure.hostname} at ${exposure.listen}${everywhere}, over TLS only`,
      );
      return exposureShape(deps, record, exposure);
    },

    async unexpose({ params }, call) {
      const { record, loop } = await requireCluster(deps, params.cluster);
      if (record.exposure === undefined) throw fail("not_exposed", { app: record.app });
      await state.clusters.update(record, ({ exposure: _wish, ...current }) => current);
      await settle(loop, call, {
        what: `shutting the public door of ${record.app}`,
        things: [],
        done: (view) =>
          view !== undefined &&
          view.cluster.exposure === undefined &&
          isSet(view) &&
          exposureIn(view)?.ingress === "closed"
            ? true
            : undefined,
      });
      await events.append(record.app, `the public door of ${record.app} is shut`);
      return {};
    },
  };
}

/** The one that is open: one that is still being opened has it before itself. */
const whole = (exposure: Exposure | undefined): Exposure | undefined =>
  exposure?.phase === "creating" ? exposure.before : exposure;

/** What was asked for, when it can be: every error there is comes before anything is changed. */
async function wanted({ place, ingress }: Deps, body: Asked, before: Exposure | undefined): Promise<Exposure> {
  // 127.0.0.0/8 is local as a whole on Linux alone, and without it nobody could tell sources apart.
  if (place.mode === "portable" && process.platform !== "linux") throw fail("portable_mode", { what: "a public door" });
  const hostname = checkHostname(body.hostname);
  const { listen, replicaListen, allow, allowSuperuser } = body;
  parseListen(listen, "--listen");
  if (replicaListen !== undefined) parseListen(replicaListen, "--replica-listen");
  allow.forEach(parseCidr);
  const files = await filesOf(body, hostname);
  if (listen === replicaListen)
    throw fail("listen_invalid", { what: "--replica-listen", value: listen, why: "the leader's port is there" });
  const own = [before?.listen, before?.replicaListen];
  for (const at of [listen, replicaListen]) if (at !== undefined && !own.includes(at)) await ingress.tryListen(at);
  const given = Object.fromEntries(Object.entries(body.limits).filter(([, limit]) => limit !== undefined));
  return {
    hostname,
    listen,
    ...(replicaListen === undefined ? {} : { replicaListen }),
    allow,
    ...(files === undefined ? {} : { files }),
    allowSuperuser,
    limits: { ...defaultLimits, ...given },
    phase: "creating",
    createdAt: new Date().toISOString(),
  };
}

async function filesOf({ certificate, key, acmeDirectory }: Asked, hostname: string): Promise<Exposure["files"]> {
  if ((certificate === undefined) !== (key === undefined))
    throw fail("usage_invalid", { reason: "--cert and --key belong together" });
  if (certificate !== undefined && acmeDirectory !== undefined)
    throw fail("usage_invalid", { reason: "a certificate comes from --cert and --key, or from --acme-dir" });
  if (acmeDirectory !== undefined) return requireGiven(hostname, acmeDirectory);
  return certificate === undefined || key === undefined ? undefined : requireGiven(hostname, { certificate, key });
}
