import { steadyNow } from "../base/clock.ts";
import type { Home } from "../host/system/home.ts";
import { allFiles, diskOf, diskRoom, memoryRoom, ownFiles } from "../host/system/machine.ts";
import type { ClusterFacts, DiskFacts, Facts, Warning } from "../capacity/facts.ts";
import { follow, type Held } from "../capacity/follow.ts";
import { layout } from "../postgres/instance/directory.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import type { ClusterView } from "../cluster/view.ts";

interface At {
  home: Home;
  views(): readonly ClusterView[];
  say(subject: string, sentence: string): void;
}

/**
 * What runs out, as of now; what is new about it is said. The servers were asked by their loops: nobody is asked again.
 */
export function watchLimits({ home, views, say }: At): () => Promise<Warning[]> {
  let held: Held = new Map();
  return async () => {
    const facts = await gather(home, views());
    const followed = follow(facts, held, steadyNow());
    held = followed.held;
    for (const { subject, sentence } of followed.said) say(subject, sentence);
    return followed.warnings;
  };
}

async function gather(home: Home, views: readonly ClusterView[]): Promise<Facts> {
  const [disks, memory, files, descriptors] = await Promise.all([
    disksOf(home, views),
    memoryRoom(),
    allFiles(),
    ownFiles(),
  ]);
  return {
    clusters: views.map(clusterFacts),
    disks,
    memory,
    files,
    daemon: { pid: process.pid, residentBytes: process.memoryUsage.rss(), descriptors },
  };
}

const clusterFacts = ({ cluster, members }: ClusterView): ClusterFacts => ({
  name: cluster.app,
  servers: members.flatMap(({ record, usage }) =>
    usage === undefined ? [] : [{ machine: record.id, leads: record.id === cluster.leader, usage }],
  ),
  owners: new Map(
    members.map(({ record }) => [slotOf(record.id), { machine: record.id, stopped: record.wanted === "stopped" }]),
  ),
});

/** Data and WAL lie in the home, unless somebody mounted or linked them from elsewhere. */
async function disksOf(home: Home, views: readonly ClusterView[]): Promise<DiskFacts[]> {
  const members = views.flatMap((view) =>
    view.members.map(({ record }) => ({ id: record.id, data: layout(home, record.id).data })),
  );
  const places = [
    { path: home.root, holds: "what perchd keeps" },
    { path: home.postgres, holds: "PostgreSQL's data" },
    ...members.flatMap(({ id, data }) => [
      { path: data, holds: `the data of ${id}` },
      { path: `${data}/pg_wal`, holds: `the WAL of ${id}` },
    ]),
  ];
  const disks = await Promise.all(places.map(async (place) => ({ ...place, disk: await diskOf(place.path) })));
  const first = disks.filter(
    ({ disk }, index) => disk !== undefined && disks.findIndex((other) => other.disk === disk) === index,
  );
  const found = await Promise.all(
    first.map(async ({ path, holds, disk }): Promise<DiskFacts | undefined> => {
      // Of a member's own only what lies elsewhere is worth a word.
      const more = disks.slice(1, 2).filter((other) => other.disk === disk && other.path !== path);
      const room = await diskRoom(path).catch(() => undefined); // somebody took it away just now
      return room && { ...room, holds: [holds, ...more.map((other) => other.holds)] };
    }),
  );
  return found.filter((disk) => disk !== undefined);
}
