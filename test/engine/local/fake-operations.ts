/** The operations of a change of leader, in memory: what was called in which order, and which one fails. */
import { fail } from "../../../src/errors/error.ts";
import type { ClusterOperations } from "../../../src/engine/operations.ts";
import type { Standing } from "../../../src/postgres/replication/replication.ts";

export const at = (more: Partial<Standing> = {}): Standing => ({
  recovering: true,
  streaming: true,
  received: 900n,
  replayed: 900n,
  timeline: 1,
  ...more,
});

type Operation = Exclude<keyof ClusterOperations, "app" | "say" | "standing" | "lives" | "lastCheckpoint">;

export interface Fake {
  operations: ClusterOperations;
  /** What was done, in order; what only looks is not among it. */
  done: string[];
  said: string[];
  /** How each member stands; one that is not here does not answer. Operations change it as the real ones do. */
  members: Map<string, Standing>;
  lives: Set<string>;
  checkpoint: bigint | undefined;
}

/** a1 leads, a2 follows. `failing`: the operation that fails, every time. */
export function fakeOperations(failing?: Operation, another?: { begun: boolean }): Fake {
  const members = new Map([
    ["a1", at({ recovering: false, streaming: false })],
    ["a2", at()],
  ]);
  const fake: Fake = {
    done: [],
    said: [],
    members,
    lives: new Set(members.keys()),
    checkpoint: 890n,
    operations: undefined as never,
  };
  const act = (operation: Operation, ...words: string[]): Promise<void> => {
    fake.done.push([operation, ...words].join(" "));
    return operation === failing ? Promise.reject(fail("internal", { why: `${operation} fails` })) : Promise.resolve();
  };
  const gone = (id: string) => {
    members.delete(id);
    fake.lives.delete(id);
    for (const [other, standing] of members) members.set(other, { ...standing, streaming: false });
  };
  fake.operations = {
    app: "pg",
    standing: (id) => Promise.resolve(members.get(id)),
    lives: (id) => Promise.resolve(fake.lives.has(id)),
    lastCheckpoint: () => Promise.resolve(fake.checkpoint),
    checkpoint: (id) => act("checkpoint", id),
    arm: (id) => act("arm", id),
    clearWay: (id) => act("clearWay", id),
    stop: (id, next) => act("stop", id, next).then(() => gone(id)),
    kill: (id) => act("kill", id).then(() => gone(id)),
    inherit: (id, from) => act("inherit", id, from),
    learnTimelines: (id) => act("learnTimelines", id),
    promote: (id) =>
      act("promote", id).then(() => void members.set(id, at({ recovering: false, streaming: false, timeline: 2 }))),
    gather: (id, former) =>
      act("gather", id, ...(former === undefined ? [] : [former])).then(
        () => () => Promise.resolve(void fake.done.push("rest")),
      ),
    hold: () => act("hold"),
    open: (id) => act("open", id),
    letGo: () => act("letGo"),
    pause: () => act("pause").then(() => () => Promise.resolve(void fake.done.push("goOn"))),
    begin: ({ kind, to }) => act("begin", kind, to).then(() => another?.begun !== true),
    crown: (id, { whole }) => act("crown", id, whole ? "whole" : "lost"),
    withdraw: () => act("withdraw"),
    reckon: (id, former) => act("reckon", id, former),
    say: (sentence) => void fake.said.push(sentence),
  };
  return fake;
}
