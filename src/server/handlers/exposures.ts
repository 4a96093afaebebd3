import type { RouteInput } from "../../api/route.ts";
import type { routes } from "../../api/routes.ts";
import { tryListen } from "../../ingress/start.ts";
import { fail } from "../../errors/error.ts";
import {
  checkHostname,
  defaultLimits,
  type Exposure,
  isEverywhere,
  parseCidr,
  parseListen,
} from "../../model/exposure.ts";
import { acmeFiles } from "../../postgres/tls/acme-directory.ts";
import { readGiven } from "../../postgres/tls/given-certificate.ts";
import { listSuperusers } from "../../postgres/sql/roles.ts";
import type { ClusterView } from "../../cluster/view.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import { exposureShape } from "../views/exposure.ts";
import type { Handlers } from "../http/http.ts";
import { onLeader } from "./leader.ts";
import { settle } from "../wait.ts";

type ExposureHandlers = Pick<Handlers, "listExposures" | "expose" | "unexpose">;
type Asked = RouteInput<(typeof routes)["expose"]>["body"];

/**
 * Public doors. What was asked for is checked whole, written down, and waited for; when the door cannot be opened, all
 * is as before.
 */
export function exposureHandlers(deps: Deps): ExposureHandlers {
  const { state, events, context, doors } = deps;

  const setExposure = (app: string, exposure: Exposure | undefined) =>
    state.clusters.update({ app }, ({ exposure: _before, ...record }) =>
      exposure === undefined ? record : { ...record, exposure },
    );

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
      const { app, exposure: before } = record;
      const superusers = await onLeader(deps, app, listSuperusers);
      const exposure = { ...(await wanted(deps, body, before)), superusers };
      await setExposure(app, exposure);
      try {
        await settle(loop, call, {
          what: `opening ${app} to the public`,
          things: [],
          done: (view) => isSet(view, exposure.createdAt),
        });
        await context.publish();
        const door = await doors.state(app);
        if (door.state === "closed") throw door.error;
      } catch (error) {
        await setExposure(app, before);
        loop.wake();
        throw error;
      }
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
      await setExposure(record.app, undefined);
      await settle(loop, call, {
        what: `shutting the public door of ${record.app}`,
        things: [],
        done: (view) => isSet(view, undefined),
      });
      await doors.state(record.app);
      await events.append(record.app, `the public door of ${record.app} is shut`);
      return {};
    },
  };
}

/** The loop has seen it, and every server that runs has its lines of pg_hba.conf and its certificate. */
function isSet(view: ClusterView | undefined, createdAt: string | undefined): true | undefined {
  if (view === undefined || view.cluster.exposure?.createdAt !== createdAt) return undefined;
  return view.members.every(
    ({ facts, busy }) => !facts.running || (facts.configured && facts.certified && busy === undefined),
  )
    ? true
    : undefined;
}

/** What was asked for, when it can be: every error there is comes before anything is changed. */
async function wanted(
  { place }: Deps,
  body: Asked,
  before: Exposure | undefined,
): Promise<Omit<Exposure, "superusers">> {
  // 127.0.0.0/8 is local as a whole on Linux alone, and without it nobody could tell sources apart.
  if (place.mode === "portable" && process.platform !== "linux") throw fail("portable_mode", { what: "a public door" });
  const hostname = checkHostname(body.hostname);
  const { listen, replicaListen, allow, allowSuperuser } = body;
  parseListen(listen, "--listen");
  if (replicaListen !== undefined) parseListen(replicaListen, "--replica-listen");
  allow.forEach(parseCidr);
  const files = await filesOf(body, hostname);
  if (files !== undefined) await readGiven(files, hostname);
  if (listen === replicaListen)
    throw fail("listen_invalid", { what: "--replica-listen", value: listen, why: "the leader's port is there" });
  const own = [before?.listen, before?.replicaListen];
  for (const at of [listen, replicaListen]) if (at !== undefined && !own.includes(at)) await tryListen(at);
  const given = Object.fromEntries(Object.entries(body.limits).filter(([, limit]) => limit !== undefined));
  return {
    hostname,
    listen,
    ...(replicaListen === undefined ? {} : { replicaListen }),
    allow,
    ...(files === undefined ? {} : { files }),
    allowSuperuser,
    limits: { ...defaultLimits, ...given },
    createdAt: new Date().toISOString(),
  };
}

async function filesOf({ certificate, key, acmeDirectory }: Asked, hostname: string): Promise<Exposure["files"]> {
  if ((certificate === undefined) !== (key === undefined))
    throw fail("usage_invalid", { reason: "--cert and --key belong together" });
  if (certificate !== undefined && acmeDirectory !== undefined)
    throw fail("usage_invalid", { reason: "a certificate comes from --cert and --key, or from --acme-dir" });
  if (acmeDirectory !== undefined) return acmeFiles(acmeDirectory, hostname);
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}
