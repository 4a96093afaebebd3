import { percent, size } from "../base/size.ts";
import type { DiskFacts, Facts, Reading } from "./facts.ts";

/** What runs out on the machine: disks, memory, open files. Pure. */
export const machineReadings = (facts: Facts): Reading[] => [
  ...facts.disks.flatMap((disk) => [space(disk, facts), ...(disk.inodes === 0 ? [] : [inodes(disk, facts)])]),
  ...(facts.memory === undefined ? [] : [available(facts.memory, facts), promised(facts.memory, facts)]),
  perchd(facts),
  ...descriptors(facts),
];

const subject = "network";

const listDatabases = ({ clusters }: Facts): string => `perch postgres db list -a ${clusters[0]?.name ?? "CLUSTER"}`;

function space({ path, holds, bytes, freeBytes }: DiskFacts, facts: Facts): Reading {
  const sentence = `${size(freeBytes)} of ${size(bytes)} are free under ${path}, which holds ${holds.join(", ")}`;
  return {
    what: "disk",
    subject,
    thing: path,
    used: bytes - freeBytes,
    limit: bytes,
    sentence,
    next: listDatabases(facts),
  };
}

function inodes({ path, holds, inodes: all, freeInodes }: DiskFacts, facts: Facts): Reading {
  const sentence = `${freeInodes} of ${all} files can still be made under ${path}, which holds ${holds.join(", ")}`;
  return {
    what: "inodes",
    subject,
    thing: path,
    used: all - freeInodes,
    limit: all,
    sentence,
    next: listDatabases(facts),
  };
}

/** The cluster whose servers promise most. */
function greediest({ clusters }: Facts): { name: string; sharedBytes: number } | undefined {
  const shared = (servers: Facts["clusters"][number]["servers"]) =>
    servers.reduce((sum, { usage }) => sum + usage.memory.sharedBytes, 0);
  const [first] = clusters.toSorted((a, b) => shared(b.servers) - shared(a.servers));
  return first?.servers[0] && { name: first.name, sharedBytes: first.servers[0].usage.memory.sharedBytes };
}

function smaller(facts: Facts): string {
  const most = greediest(facts);
  if (most === undefined) return "perch status";
  const half = Math.max(16, Math.floor(most.sharedBytes / 2 / 1024 ** 2));
  return `perch postgres config update -a ${most.name} --shared-buffers ${half}MB --restart`;
}

function available({ bytes, availableBytes, of }: NonNullable<Facts["memory"]>, facts: Facts): Reading {
  const used = bytes - availableBytes;
  const sentence = `${size(availableBytes)} of ${size(bytes)} of memory are left in ${of}`;
  return { what: "memory", subject, thing: of, used, limit: bytes, sentence, next: smaller(facts) };
}

/**
 * What servers hold for all, and may take for each connection that is open now: more once it sorts twice, but that much
 * at once.
 */
function promised({ bytes, of }: NonNullable<Facts["memory"]>, facts: Facts): Reading {
  const servers = facts.clusters.flatMap((cluster) => cluster.servers);
  const sum = (part: (usage: (typeof servers)[number]["usage"]) => number) =>
    servers.reduce((total, { usage }) => total + part(usage), 0);
  const shared = sum(({ memory }) => memory.sharedBytes);
  const each = sum(({ memory, connections }) => memory.perConnectionBytes * connections.used);
  const sentence = `servers may take ${size(shared + each)} of the ${size(bytes)} of memory of ${of}: shared_buffers ${size(shared)}, and work_mem ${size(each)} for the connections that are open`;
  return {
    what: "promised-memory",
    subject,
    thing: of,
    used: shared + each,
    limit: bytes,
    sentence,
    next: smaller(facts),
  };
}

/** The promise is 150 MB; see thresholds. */
const perchdLimit = 200 * 1024 ** 2;

function perchd({ daemon: { pid, residentBytes } }: Facts): Reading {
  return {
    what: "perchd-memory",
    subject,
    thing: "perchd",
    used: residentBytes,
    limit: perchdLimit,
    sentence: `perchd itself takes ${size(residentBytes)} of memory`,
    next: `kill -9 ${pid} && perch up`,
  };
}

function descriptors({ daemon, files }: Facts): Reading[] {
  const own = daemon.descriptors;
  const [ofPerchd, ofAll] = [own, files].map(
    (found) => found && `${found.open} of ${found.max} files are open (${percent(found.open, found.max)})`,
  );
  const what = "descriptors";
  return [
    ...(own === undefined
      ? []
      : [
          {
            what,
            subject,
            thing: "perchd",
            used: own.open,
            limit: own.max,
            sentence: `${ofPerchd} in perchd`,
            next: `ulimit -n ${own.max * 4} && kill -9 ${daemon.pid} && perch up`,
          } as const,
        ]),
    ...(files === undefined
      ? []
      : [
          {
            what,
            subject,
            thing: "machine",
            used: files.open,
            limit: files.max,
            sentence: `${ofAll} on this host`,
            next: `sysctl fs.file-max=${files.max * 2}`,
          } as const,
        ]),
  ];
}
