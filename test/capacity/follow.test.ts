import { describe, expect, it } from "vitest";
import type { Facts, Warning } from "../../src/capacity/facts.ts";
import { follow, type Held } from "../../src/capacity/follow.ts";
import { cluster, clusterWith, gigabyte, megabyte, plenty, slot, usage } from "../capacity/facts.ts";

const disk = plenty.disks[0] as Facts["disks"][number];
const text = ({ what, level, sentence, next }: Warning): string => `${level} ${what}: ${sentence} → ${next}`;
const warningsOf = (facts: Facts): string[] => follow(facts, new Map(), 0).warnings.map(text);
const of = (more: Partial<typeof usage>): Facts => ({ ...plenty, clusters: [clusterWith(more)] });
const slots = (...each: (Partial<typeof slot> | undefined)[]) => ({
  slots: { ...usage.slots, each: each.map((more) => ({ ...slot, ...more })) },
});

const cases: [title: string, facts: Facts, warnings: string[]][] = [
  ["there is plenty of all", plenty, []],
  [
    "a large disk has less than a gigabyte",
    { ...plenty, disks: [{ ...disk, freeBytes: gigabyte - 1 }] },
    [
      "warn disk: 1024 MB of 100 GB are free under /h, which holds what perchd keeps, PostgreSQL's data → perch postgres db list -a pg",
    ],
  ],
  [
    "a small disk has less than a hundredth",
    {
      ...plenty,
      clusters: [],
      memory: undefined,
      files: undefined,
      disks: [{ ...disk, bytes: gigabyte, freeBytes: 10 * megabyte }],
    },
    [
      "fail disk: 10.0 MB of 1.0 GB are free under /h, which holds what perchd keeps, PostgreSQL's data → perch postgres db list -a CLUSTER",
    ],
  ],
  [
    "few files can still be made",
    { ...plenty, disks: [{ ...disk, freeInodes: 600 }] },
    [
      "warn inodes: 600 of 6000 files can still be made under /h, which holds what perchd keeps, PostgreSQL's data → perch postgres db list -a pg",
    ],
  ],
  [
    "the file system makes room for files as it goes",
    { ...plenty, disks: [{ ...disk, inodes: 0, freeInodes: 0 }] },
    [],
  ],
  [
    "most connections are used",
    of({ connections: { max: 100, used: 80, most: { user: "web", used: 70 } } }),
    [
      "warn connections: 80 of 100 connections of pg are used (80 %), 70 of them by web → perch postgres config update -a pg --max-connections 200 --restart",
    ],
  ],
  [
    "all connections of a replica are used, and nobody says by whom",
    {
      ...plenty,
      clusters: [
        {
          ...cluster,
          servers: [
            { machine: "l1", leads: false, usage: { ...usage, connections: { max: 20, used: 20, most: null } } },
          ],
        },
      ],
    },
    [
      "fail connections: 20 of 20 connections of replica l1 of pg are used (100 %) → perch postgres config update -a pg --max-connections 100 --restart",
    ],
  ],
  [
    "a replica is half of the way behind",
    of(slots({ keptBytes: gigabyte / 2 })),
    [
      "warn kept-wal: replication slot perch_l1 of pg keeps 512 MB of WAL back; at 1.0 GB it is given up → perch logs -a pg",
    ],
  ],
  [
    "somebody's own slot is lost",
    of(slots({ name: "mine", active: false, keptBytes: null, state: "lost" })),
    [
      "warn kept-wal: replication slot mine of pg is lost: the WAL it kept back had to be given up → perch postgres connect -a pg --command \"SELECT pg_drop_replication_slot('mine')\"",
    ],
  ],
  [
    "a slot is read from and PostgreSQL sets no limit",
    of({ slots: { ...slots({ name: "mine", keptBytes: 9 * gigabyte }).slots, keepBytes: null } }),
    [
      'warn kept-wal: replication slot mine of pg keeps 9.0 GB of WAL back, and nothing ends that but the disk → perch postgres connect -a pg --command "SELECT * FROM pg_stat_replication"',
    ],
  ],
  [
    "a replica that is stopped keeps WAL back",
    {
      ...plenty,
      clusters: [
        {
          ...clusterWith(slots({ active: false, keptBytes: 70 * megabyte })),
          owners: new Map([["perch_l1", { machine: "l1", stopped: true }]]),
        },
      ],
    },
    [
      "warn idle-slot: nothing reads from replication slot perch_l1 of pg, which keeps 70.0 MB of WAL back; at 1.0 GB it is given up → perch machine start l1",
    ],
  ],
  ["a slot was made a moment ago", of(slots({ active: false, keptBytes: null, state: null })), []],
  [
    "most slots are taken",
    of(slots(...Array.from({ length: 13 }, (_, n) => ({ name: `s${n}` })))),
    [
      "warn slots: 13 of 16 replication slots of pg are taken → perch postgres config update -a pg --max-replication-slots 32 --max-wal-senders 32 --restart",
    ],
  ],
  [
    "no VACUUM has come through for a billion transactions",
    of({ oldest: { database: "web", age: 1_200_000_000 } }),
    [
      'warn wraparound: database web of pg has used 1200 of 2147 million transactions since it was last vacuumed → perch postgres connect -a pg -d web --command "VACUUM (FREEZE)"',
    ],
  ],
  [
    "PostgreSQL refuses writes for want of transactions",
    of({ oldest: { database: "web", age: 2 ** 31 - 2_000_000 } }),
    [
      'fail wraparound: database web of pg has used 2145 of 2147 million transactions since it was last vacuumed → perch postgres connect -a pg -d web --command "VACUUM (FREEZE)"',
    ],
  ],
  [
    "memory is nearly gone",
    { ...plenty, memory: { bytes: 8 * gigabyte, availableBytes: 700 * megabyte, of: "its control group" } },
    [
      "warn memory: 700 MB of 8.0 GB of memory are left in its control group → perch postgres config update -a pg --shared-buffers 64MB --restart",
    ],
  ],
  [
    "servers may take more than there is",
    of({ memory: { sharedBytes: 4 * gigabyte, perConnectionBytes: gigabyte } }),
    [
      "warn promised-memory: servers may take 9.0 GB of the 8.0 GB of memory of this host: shared_buffers 4.0 GB, and work_mem 5.0 GB for the connections that are open → perch postgres config update -a pg --shared-buffers 2048MB --restart",
    ],
  ],
  [
    "perchd takes more than it should",
    { ...plenty, daemon: { ...plenty.daemon, residentBytes: 151 * megabyte } },
    ["warn perchd-memory: perchd itself takes 151 MB of memory → kill -9 7 && perch up"],
  ],
  [
    "perchd and the machine have many files open",
    {
      ...plenty,
      files: { open: 900, max: 1000 },
      daemon: { ...plenty.daemon, descriptors: { open: 1024, max: 1024 } },
    },
    [
      "fail descriptors: 1024 of 1024 files are open (100 %) in perchd → ulimit -n 4096 && kill -9 7 && perch up",
      "warn descriptors: 900 of 1000 files are open (90 %) on this host → sysctl fs.file-max=2000",
    ],
  ],
];

describe("warnings", () => {
  it.each(cases)("when %s", (_title, facts, warnings) => {
    expect(warningsOf(facts)).toEqual(warnings);
  });

  it("say nothing of a server that does not answer", () => {
    expect(warningsOf({ ...plenty, clusters: [{ ...cluster, servers: [] }] })).toEqual([]);
  });
});

describe("what is said of warnings", () => {
  /** Used connections of a hundred at each second; undefined while the server does not answer. */
  function saidOf(...looks: (number | undefined)[]): string[] {
    let held: Held = new Map();
    return looks.flatMap((used, second) => {
      const facts =
        used === undefined ? { ...plenty, clusters: [] } : of({ connections: { max: 100, used, most: null } });
      const followed = follow(facts, held, second * 1_000);
      held = followed.held;
      return followed.said.map(
        ({ subject, sentence }) => `${second} ${subject} ${sentence.replace(/; what helps: .*/, "")}`,
      );
    });
  }
  const full = (used: number) => `${used} of 100 connections of pg are used (${used} %)`;
  const seconds = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

  it("is said once when it begins and once when it has been over for ten seconds", () => {
    expect(saidOf(10, 80, 85, 90, ...seconds(13, 10))).toEqual([
      `1 pg warning: ${full(80)}`,
      `14 pg no warning any more: ${full(10)}`,
    ]);
  });

  it("is not said again while it stands at the threshold, or comes and goes", () => {
    expect(saidOf(80, 79, 80, 76, 80, 10, 80, undefined, 80, 10, 80)).toEqual([`0 pg warning: ${full(80)}`]);
  });

  it("is said once more when it has run out, and not again before it was over", () => {
    expect(saidOf(80, 100, 90, 100, 85)).toEqual([`0 pg warning: ${full(80)}`, `1 pg worse: ${full(100)}`]);
  });

  it("is over when the thing is gone for good", () => {
    expect(saidOf(80, ...seconds(12, undefined))).toEqual([
      `0 pg warning: ${full(80)}`,
      "11 pg no warning any more: a1 of pg, for which there was one, is not there",
    ]);
  });
});
