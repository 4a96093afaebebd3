import { findPrograms, requireRunnable } from "../../cluster/programs.ts";
import { requireCluster } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

/**
 * Another directory of the same major, from which a cluster's servers are started: checked as perchd and as the user
 * PostgreSQL runs as, before anything changes. It needs no leader, for it is wanted most where none can be started.
 */
export function binariesHandler(deps: Deps): Handlers["setBinaries"] {
  const { state, events, home, context } = deps;
  return async ({ params, body }) => {
    const { record, loop } = await requireCluster(deps, params.cluster);
    const found = await findPrograms(home, { major: record.major, directory: body.directory });
    const moved = { ...record, binaries: found.directory };
    const members = loop.view()?.members ?? [];
    for (const { record: machine } of members.slice(0, 1)) await requireRunnable(context, moved, machine);
    await state.clusters.update(record, (current) => ({ ...current, binaries: found.directory }));
    await events.append(
      record.app,
      `${record.app} is started with PostgreSQL ${found.version} in ${found.directory} from now on; before, in ${record.binaries}`,
    );
    loop.wake();
    const other = members.filter(({ facts }) => facts.running && facts.version !== found.version);
    return { directory: found.directory, version: found.version, restartNeeded: other.map(({ record: { id } }) => id) };
  };
}
