/**
 * The one interface to kept state, modelled on etcd's KV and Watch: keys in order, a revision that counts up with every
 * transaction that changes something, transactions that compare and then write, watches from a revision. `sqlite/`
 * serves one host; an etcd implementation stands beside it.
 *
 * The room `store/` keeps the desired state and the events. It knows what records look like, not what they mean, starts
 * nothing, and opens no secret: what is sealed in a record is text to it. Start with `records.ts`, which is what the
 * other rooms use; then `events.ts`.
 */

export interface Entry {
  key: string;
  /** JSON text. */
  value: string;
  createRevision: number;
  modRevision: number;
}

/** The write is done only if every key still has this modRevision; 0 means "does not exist". */
export interface Compare {
  key: string;
  modRevision: number;
}

export type Write = { put: string; value: string } | { delete: string };

export type Change =
  | { type: "put"; key: string; value: string; revision: number }
  | { type: "delete"; key: string; revision: number };

export type TxnResult = { done: true; revision: number } | { done: false };

export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** All keys that begin with the prefix, in the order of their UTF-8 bytes, as of one revision. */
  range(prefix: string): Promise<{ revision: number; entries: Entry[] }>;
  /**
   * All writes or none, and none where a compare does not hold. A key may stand in one write only. The revision stays
   * where nothing was changed.
   */
  txn(compare: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
  /**
   * Calls back with every change under the prefix after `fromRevision`, in order, none twice, until the returned
   * function is called. Rejects with the code `conflict` when `fromRevision` is older than what is kept (etcd:
   * ErrCompacted).
   */
  watch(prefix: string, fromRevision: number, onChange: (change: Change) => void): Promise<() => void>;
  /**
   * Nothing is left of what was before that revision but what still holds, on the disk either. Watches may not begin
   * before it any more.
   */
  forget(revision: number): Promise<void>;
  close(): Promise<void>;
}
