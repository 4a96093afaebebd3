/**
 * What Perch did and why, in order: one sentence an event, kept in the store, the newest 10,000 of them. Sentences pass
 * `redact` on their way in; a secret has no business in them all the same.
 */
import { serialise } from "../base/serialise.ts";
import { currentActor } from "../base/actor.ts";
import { redact } from "../base/redact.ts";
import type { EventRecord } from "../model/records.ts";
import { readRecord } from "./collection.ts";
import { shapes } from "./shapes.ts";
import type { Store } from "./store.ts";

/** The newest `last` events about `subject`, or about anything. */
export interface Wanted {
  last: number;
  subject?: string | undefined;
}

export interface Events {
  /** Appends keep the order of their calls. */
  append(subject: string, sentence: string): Promise<EventRecord>;
  /** Oldest first. */
  list(wanted: Wanted): Promise<EventRecord[]>;
  /** What `list` gives, then every later event about the subject, none twice, until the returned function is called. */
  follow(wanted: Wanted, onEvent: (event: EventRecord) => void): Promise<() => void>;
}

/**
 * For those who tell what is done already: an event that cannot be kept, as on a full disk, is lost, and what it tells
 * of is not.
 */
export interface Reports extends Omit<Events, "append"> {
  append(subject: string, sentence: string): Promise<void>;
}

export const reports = (events: Events, lost: (error: unknown) => void): Reports => ({
  ...events,
  append: (subject, sentence) => events.append(subject, sentence).then(() => undefined, lost),
});

const kept = 10_000;
const digits = 12;
export const eventFolder = "events";
const folder = `${eventFolder}/`;
const keyOf = (id: number): string => `${folder}${String(id).padStart(digits, "0")}`;
const idOf = (key: string): number => Number(key.slice(folder.length));

/** Events are read in blocks of 100, newest first: all ids of a block share their key but for the last two digits. */
const blockOf = (id: number): number => Math.floor(id / 100);
const blockKey = (block: number): string => keyOf(block * 100).slice(0, -2);

export async function openEvents(store: Store): Promise<Events> {
  let last = 0;
  const advance = (key: string) => {
    last = Math.max(last, idOf(key));
  };
  const found = await store.range(folder);
  for (const entry of found.entries) advance(entry.key);
  // Other hosts may write to the same store.
  await store.watch(folder, found.revision, (change) => advance(change.key));
  const inTurn = serialise();

  async function write(subject: string, sentence: string, actor: string): Promise<EventRecord> {
    for (;;) {
      const event: EventRecord = {
        id: last + 1,
        at: new Date().toISOString(),
        subject,
        sentence: redact(sentence),
        actor,
      };
      const put = { put: keyOf(event.id), value: JSON.stringify(event) };
      const trim = event.id > kept ? [{ delete: keyOf(event.id - kept) }] : [];
      const { done } = await store.txn([{ key: put.put, modRevision: 0 }], [put, ...trim]);
      advance(put.put);
      // Not done: somebody else has written that id, and the next one is tried.
      if (done) return event;
    }
  }

  async function list({ last: count, subject }: Wanted): Promise<EventRecord[]> {
    const newestFirst: EventRecord[] = [];
    for (let block = blockOf(last); block >= blockOf(Math.max(0, last - kept)) && newestFirst.length < count; block--) {
      const { entries } = await store.range(blockKey(block));
      const events = entries.map((entry) => readRecord(shapes.event, entry)).toReversed();
      newestFirst.push(...events.filter((event) => subject === undefined || event.subject === subject));
    }
    return newestFirst.slice(0, count).toReversed();
  }

  return {
    append(subject, sentence) {
      const actor = currentActor(); // now: in the queue it would be that of the one before
      return inTurn(() => write(subject, sentence, actor));
    },
    list,
    async follow(wanted, onEvent) {
      let shown = 0;
      let early: EventRecord[] | undefined = [];
      const show = (event: EventRecord) => {
        if (event.id <= shown || (wanted.subject !== undefined && event.subject !== wanted.subject)) return;
        shown = event.id;
        onEvent(event);
      };
      const { revision } = await store.range(blockKey(blockOf(last)));
      const stop = await store.watch(folder, revision, (change) => {
        if (change.type !== "put") return;
        const event = readRecord(shapes.event, change);
        if (early === undefined) show(event);
        else early.push(event);
      });
      try {
        for (const event of await list(wanted)) show(event);
        for (const event of early) show(event);
      } catch (error) {
        stop();
        throw error;
      }
      early = undefined;
      return stop;
    },
  };
}
