import { appHandlers } from "./apps.ts";
import { attachmentHandlers } from "./attachments.ts";
import { binariesHandler } from "./binaries.ts";
import { namingFullDisk } from "../http/full-disk.ts";
import { limitHandlers } from "./connection-limits.ts";
import { clusterHandlers } from "./clusters.ts";
import { certificateHandlers } from "./certificates.ts";
import { databaseHandlers } from "./databases.ts";
import type { Deps } from "../deps.ts";
import { doctorHandler } from "./doctor.ts";
import { exposureHandlers } from "./exposures.ts";
import { hostAccessHandlers } from "./host-access.ts";
import type { Handlers } from "../http/http.ts";
import { leadershipHandlers } from "./leadership.ts";
import { machineHandlers } from "./machines.ts";
import { networkHandlers } from "./network.ts";
import { poolHandlers } from "./pool.ts";
import { peerHandlers } from "./peers.ts";
import { proxyHandler } from "../http/proxy.ts";
import { remoteHandlers } from "../remote/handlers.ts";
import { tokenHandlers } from "../remote/tokens.ts";
import { rotationHandlers } from "./rotate.ts";
import { runHandlers } from "./runs.ts";
import { secretHandlers } from "./secrets.ts";
import { sessionHandlers } from "./sessions.ts";
import { settingHandlers } from "./settings.ts";

/** Which handler serves which route: a file a noun. */
export function handlersOf(deps: Deps): Handlers {
  const clusters = clusterHandlers(deps);
  return namingFullDisk(deps.home, {
    ...networkHandlers(deps, clusters.listClusters),
    ...certificateHandlers(deps),
    ...appHandlers(deps),
    ...secretHandlers(deps),
    ...clusters,
    ...leadershipHandlers(deps),
    ...poolHandlers(deps),
    ...sessionHandlers(deps),
    ...databaseHandlers(deps),
    ...rotationHandlers(deps),
    ...settingHandlers(deps),
    setBinaries: binariesHandler(deps),
    ...attachmentHandlers(deps),
    ...limitHandlers(deps),
    ...proxyHandler(deps),
    ...hostAccessHandlers(deps),
    ...machineHandlers(deps),
    ...runHandlers(deps),
    ...exposureHandlers(deps),
    ...peerHandlers(deps),
    doctor: doctorHandler(deps),
    ...remoteHandlers(deps),
    ...tokenHandlers(deps),
  });
}
