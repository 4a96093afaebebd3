/**
 * Records of one kind in a store, read and written with their types. The key is made of fields of the record itself:
 * `secrets/<app>/<name>`. Single changes are done here; what must change together is built as writes and committed at
 * once (`records.ts`).
 */
import type { z } from "zod";
import { fail } from "../errors/error.ts";
import type { Compare, Entry, Store, Write } from "./store.ts";

/** A record as it was read, for a later `still`. */
export interface Seen<T> {
  record: T;
  modRevision: number;
}

export type RecordChange<T, F extends keyof T> =
  | { type: "put"; revision: number; record: T }
  | { type: "delete"; revision: number; of: Pick<T, F> };

export interface Kind<T, F extends keyof T & string> {
  /** Where the records lie: `secrets` for `secrets/…`. */
  readonly folder: string;
  /** The fields of the key, in order; texts without a slash. */
  readonly fields: readonly F[];
  readonly shape: z.ZodType<T>;
}

/** `F` are the fields that name a record: `secrets.get({ app: "web", name: "TOKEN" })`; a whole record names itself. */
export interface Collection<T, F extends keyof T> {
  get(of: Pick<T, F>): Promise<T | undefined>;
  see(of: Pick<T, F>): Promise<Seen<T> | undefined>;
  seeAll(): Promise<Seen<T>[]>;
  /**
   * In the order of the keys; those alone that agree with `part`, which costs least where it gives the first fields of
   * the key.
   */
  list(part?: Partial<Pick<T, F>>): Promise<T[]>;
  /** The same as of one revision, from which `watch` goes on without a gap. */
  snapshot(part?: Partial<Pick<T, F>>): Promise<{ revision: number; records: T[] }>;
  /** False, and nothing is changed, when there is one of that name. */
  create(record: T): Promise<boolean>;
  /**
   * Puts what `change` makes of the record, asking again where somebody else was quicker, so `change` must do nothing
   * else. Gives the record as it is now, or undefined when there is none.
   */
  update(of: Pick<T, F>, change: (old: T) => T): Promise<T | undefined>;
  /** Whether there was one. */
  remove(of: Pick<T, F>): Promise<boolean>;
  watch(fromRevision: number, onChange: (change: RecordChange<T, F>) => void): Promise<() => void>;

  // For one transaction over several collections.
  put(record: T): Write;
  drop(of: Pick<T, F>): Write;
  absent(of: Pick<T, F>): Compare;
  still(seen: Seen<T>): Compare;
}

export function collection<T, F extends keyof T & string>(store: Store, kind: Kind<T, F>): Collection<T, F> {
  const { folder, fields } = kind;
  const within = fields.length === 0 ? folder : `${folder}/`;
  const keyOf = (of: Pick<T, F>): string => [folder, ...fields.map((field) => String(of[field]))].join("/");
  const read = (entry: { key: string; value: string }): T => readRecord(kind.shape, entry);
  // What a store gives as the same object again is the same record.
  const known = new WeakMap<Entry, T>();
  const readAgain = (entry: Entry): T => {
    const found = known.get(entry) ?? Object.freeze(read(entry));
    known.set(entry, found);
    return found;
  };
  const see = (entry: Entry | undefined): Seen<T> | undefined =>
    entry && { record: read(entry), modRevision: entry.modRevision };
  const put = (record: T): Write => {
    const slash = fields.find((field) => /^$|\//.test(String(record[field])));
    if (slash !== undefined)
      throw fail("internal", { why: `the ${slash} of ${keyOf(record)} cannot be part of a key` });
    return { put: keyOf(record), value: JSON.stringify(record) };
  };
  const nameIn = (key: string): Pick<T, F> => {
    const parts = key.slice(within.length).split("/");
    return Object.fromEntries(fields.map((field, index) => [field, parts[index]])) as unknown as Pick<T, F>;
  };

  const self: Collection<T, F> = {
    get: async (of) => (await self.see(of))?.record,
    see: async (of) => see(await store.get(keyOf(of))),
    seeAll: async () =>
      (await store.range(within)).entries.map((entry) => ({ record: read(entry), modRevision: entry.modRevision })),
    list: async (part) => (await self.snapshot(part)).records,
    async snapshot(part = {}) {
      const given = fields.findIndex((field) => part[field] === undefined);
      const head = fields.slice(0, given < 0 ? fields.length : given).map((field) => String(part[field]));
      // A whole key is a prefix of longer ones: the filter takes those away.
      const prefix = [folder, ...head].join("/") + (head.length < fields.length ? "/" : "");
      const { revision, entries } = await store.range(prefix);
      const records = entries
        .map(readAgain)
        .filter((record) => fields.every((field) => part[field] === undefined || part[field] === record[field]));
      return { revision, records };
    },
    async create(record) {
      return (await store.txn([self.absent(record)], [put(record)])).done;
    },
    async update(of, change) {
      for (;;) {
        const seen = await self.see(of);
        if (seen === undefined) return undefined;
        const record = change(seen.record);
        if (keyOf(record) !== keyOf(of))
          throw fail("internal", { why: `an update of ${keyOf(of)} may not rename it to ${keyOf(record)}` });
        if ((await store.txn([self.still(seen)], [put(record)])).done) return record;
      }
    },
    async remove(of) {
      for (;;) {
        const entry = await store.get(keyOf(of));
        if (entry === undefined) return false;
        if ((await store.txn([entry], [self.drop(of)])).done) return true;
      }
    },
    watch: (fromRevision, onChange) =>
      store.watch(within, fromRevision, (change) => {
        const { type, revision, key } = change;
        if (type === "put") onChange({ type, revision, record: read(change) });
        else onChange({ type, revision, of: nameIn(key) });
      }),
    put,
    drop: (of) => ({ delete: keyOf(of) }),
    absent: (of) => ({ key: keyOf(of), modRevision: 0 }),
    still: ({ record, modRevision }) => ({ key: keyOf(record), modRevision }),
  };
  return self;
}

/**
 * The record in an entry. Fails with `state_newer` when it has a field that nobody here knows, with `state_damaged`
 * when it is not what it must be.
 */
export function readRecord<T>(shape: z.ZodType<T>, entry: { key: string; value: string }): T {
  let value: unknown;
  try {
    value = JSON.parse(entry.value);
  } catch (error) {
    throw fail("state_damaged", { path: `record ${entry.key}`, why: "it is no JSON" }, error);
  }
  const checked = shape.safeParse(value);
  if (checked.success) return checked.data;
  const first = checked.error.issues[0];
  if (first?.code === "unrecognized_keys") {
    const field = [...first.path, first.keys[0]].join(".");
    throw fail(
      "state_newer",
      { path: `record ${entry.key}`, what: `this one knows no field ${field} of it` },
      checked.error,
    );
  }
  throw fail(
    "state_damaged",
    { path: `record ${entry.key}`, why: `${first?.path.join(".") ?? ""}: ${first?.message ?? "not valid"}` },
    checked.error,
  );
}
