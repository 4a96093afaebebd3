/** A cluster as the plan sees it, built for tests from what matters to them. */
import { localEngine } from "../../src/engine/local/engine.ts";
import type { Unjudged } from "../../src/cluster/concern.ts";
import type {
  AttachmentRecord,
  LeaderChange,
  MachineRecord,
  Phase,
  Pool,
  PoolBefore,
  Restarting,
  Synchronous,
} from "../../src/model/records.ts";
import {
  type AttachmentView,
  type ClusterView,
  type MemberFacts,
  type MemberView,
  situationOf,
} from "../../src/cluster/view.ts";

export const nothing: MemberFacts = {
  data: false,
  running: false,
  suspended: false,
  answers: false,
  received: undefined,
  diverged: false,
  recovering: undefined,
  streaming: false,
  lagBytes: null,
  configured: true,
  apart: undefined,
  paused: undefined,
  version: undefined,
  copied: false,
  former: false,
  ownSlots: [],
};
export const down: MemberFacts = { ...nothing, data: true };
export const leading: MemberFacts = { ...down, running: true, answers: true, recovering: false };
export const streaming: MemberFacts = {
  ...down,
  running: true,
  answers: true,
  recovering: true,
  streaming: true,
  lagBytes: 0,
};

export function member(
  id: string,
  facts: MemberFacts,
  more: Partial<Omit<MemberView, "record" | "facts" | "since">> & {
    record?: Partial<MachineRecord>;
    since?: Partial<MemberView["since"]>;
  } = {},
): MemberView {
  const record: MachineRecord = {
    id,
    app: "pg",
    kind: "postgres",
    region: id.startsWith("l") ? "lhr" : "ams",
    number: 16,
    address: "fdaa:1:2:1::10",
    phase: "ready",
    wanted: "started",
    createdAt: "2026-11-24T06:00:00.000Z",
    ...more.record,
  };
  const since = {
    suspended: undefined,
    silent: undefined,
    stranded: undefined,
    apart: undefined,
    reconnected: undefined,
    rewound: undefined,
    ...more.since,
  };
  return {
    record,
    facts,
    usage: more.usage,
    busy: more.busy,
    trouble: more.trouble,
    deaths: more.deaths ?? [],
    since,
  };
}

export function cluster(
  members: MemberView[],
  more: {
    phase?: Phase;
    slots?: string[];
    lostSlots?: string[];
    program?: ClusterView["program"];
    tablespaces?: readonly string[];
    attachments?: AttachmentView[];
    found?: ReadonlyMap<string, unknown>;
    unseen?: ReadonlyMap<string, string>;
    things?: ClusterView["things"];
    pool?: Pool;
    poolBefore?: PoolBefore;
    leader?: string;
    change?: LeaderChange;
    synchronous?: Synchronous;
    restarting?: Restarting;
  } = {},
): ClusterView {
  return judged({
    cluster: {
      app: "pg",
      phase: more.phase ?? "ready",
      major: 15,
      binaries: "/usr/lib/postgresql/15/bin",
      leader: more.leader ?? members[0]?.record.id ?? "",
      settings: {},
      ...(more.change === undefined ? {} : { change: more.change }),
      ...(more.synchronous === undefined ? {} : { synchronous: more.synchronous }),
      ...(more.restarting === undefined ? {} : { restarting: more.restarting }),
      ...(more.pool === undefined ? {} : { pool: more.pool }),
      ...(more.poolBefore === undefined ? {} : { poolBefore: more.poolBefore }),
      createdAt: "2026-11-24T06:00:00.000Z",
    },
    diskFull: false,
    primaryRegion: "ams",
    program: more.program ?? { version: "15.18", problem: undefined },
    tablespaces: more.tablespaces ?? [],
    members,
    attachments: more.attachments ?? [],
    slots: more.slots ?? [],
    found: more.found ?? new Map<string, unknown>(),
    unseen: more.unseen ?? new Map<string, string>(),
    things: more.things ?? new Map(),
    lostSlots: more.lostSlots ?? [],
    busy: undefined,
    trouble: undefined,
    now: 1_000_000,
  });
}

/** The same view, with what the engine says of it: of one that was changed by hand, too. */
export const judged = (view: Unjudged & { progress?: ClusterView["progress"] }): ClusterView => ({
  ...view,
  progress: view.progress ?? [],
  verdict: localEngine.decide(situationOf(view)),
  successors: localEngine.candidates(situationOf(view)),
});

export function attachment(phase: Phase, more: Partial<AttachmentRecord> = {}): AttachmentView {
  const record: AttachmentRecord = {
    app: "web",
    cluster: "pg",
    database: "web",
    user: "web",
    variable: "DATABASE_URL",
    superuser: false,
    scheme: "postgres",
    phase,
    made: { database: true, user: true },
    createdAt: "2026-11-24T06:00:00.000Z",
    ...more,
  };
  return { record, busy: undefined, trouble: undefined };
}
