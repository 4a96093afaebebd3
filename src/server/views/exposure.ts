import { X509Certificate } from "node:crypto";
import type * as api from "../../api/schemas.ts";
import { sourceOf } from "../../model/door-address.ts";
import type { Exposure } from "../../model/exposure.ts";
import { servedBy } from "../../cluster/certificates.ts";
import type { Deps } from "../deps.ts";

/** A public door as the API shows it: as it was asked for, and as it does now. */
export async function exposureShape(
  deps: Deps,
  cluster: { app: string; leader: string },
  exposure: Exposure,
): Promise<api.Exposure> {
  const { hostname, listen, replicaListen, allow, allowSuperuser, limits, files } = exposure;
  const door = await deps.ingress.state(cluster.app);
  // The cluster may have no leader with files yet: then nothing is served.
  const served = await servedBy(deps.home, cluster.leader).catch(() => undefined);
  return {
    cluster: cluster.app,
    hostname,
    listen,
    replicaListen: replicaListen ?? null,
    allow,
    allowSuperuser,
    certificate: {
      from: files === undefined ? "own" : "given",
      file: files?.certificate ?? null,
      expires: expiryOf(served?.certificate),
      note: files === undefined ? null : (deps.context.complaints.get(cluster.app) ?? null),
    },
    limits,
    ...(door.state === "open"
      ? {
          state: "open",
          why: null,
          connections: door.open,
          admitted: door.admitted,
          refused: door.refused,
          shut: door.shut.map(({ address, until }) => ({ source: sourceOf(address) ?? address, until })),
        }
      : { state: "closed", why: door.error.message, connections: 0, admitted: 0, refused: 0, shut: [] }),
  };
}

/** When what the leader serves ends; null where that cannot be read. */
function expiryOf(certificate: string | undefined): string | null {
  try {
    return new Date(new X509Certificate(certificate ?? "").validTo).toISOString();
  } catch {
    return null; // what cannot be read has no end that could be told
  }
}
