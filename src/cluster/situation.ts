/**
 * A cluster as an engine looks at it, and what an engine decides: the members as they were found, and a verdict on who
 * leads. Types, and the bounds that several rooms speak of. Who decides is in `engine/`.
 */

/** Somebody who stops a server by a signal means it for a moment; longer than this it is an accident. Milliseconds. */
export const suspendedMs = 3_000;
/** So many deaths within a minute are a crash loop. */
export const crashLoop = 3;

/** One member as it was found. */
export interface Standing {
  id: string;
  region: string;
  /** Whether it is whole, and wanted so: neither being made nor being destroyed, nor stopped by a user. */
  wanted: boolean;
  ready: boolean;
  /** Its data directory is there. */
  data: boolean;
  /** A postmaster of it lives. */
  running: boolean;
  answers: boolean;
  /** pg_is_in_recovery(); undefined while it does not answer. */
  recovering: boolean | undefined;
  streaming: boolean;
  /** Bytes of WAL since the beginning of time, received or written; the greater, the more advanced. */
  received: bigint | undefined;
  /** It is stopped by a signal (SIGSTOP) since; milliseconds since the epoch. */
  suspendedSince: number | undefined;
  /** It runs and does not answer since. */
  silentSince: number | undefined;
  /** What the socket or PostgreSQL said meanwhile. */
  silence?: string;
  /** When it ended within the last minute without being told to. What is stopped and started on purpose did not die. */
  deaths: readonly number[];
  /** Attempts at something that failed, in a row. */
  failures: number;
  /** A step on it is under way. */
  busy: boolean;
}

export interface Situation {
  app: string;
  leader: string;
  primaryRegion: string;
  /** Asked for and written down, by a user or by a perchd that was killed in the middle of it. */
  change: { kind: "switchover" | "failover"; to: string; because: string } | undefined;
  /**
   * With synchronous replication: the members of which one at least has every acknowledged commit. None: the leader
   * alone has them.
   */
  holders: readonly string[] | undefined;
  members: readonly Standing[];
  now: number;
}

export type Verdict =
  /** The leader leads, or nobody shall. */
  | { do: "keep" }
  /** It will lead again by being started. */
  | { do: "start"; because: string }
  /** Its processes go on from where a signal stopped them. */
  | { do: "resume"; because: string }
  /** It is ended and started again. */
  | { do: "restart"; because: string }
  | { do: "change"; change: Change; because: string }
  /** What was asked for cannot be done any more. */
  | { do: "withdraw"; because: string }
  /** There is no leader and Perch can make none: what a person has to know. */
  | { do: "stand"; because: string };

/** Who may lead next. */
export interface Choice {
  /** The most advanced first. */
  ids: string[];
  /** Why there is none. */
  why: string;
}

export interface Change {
  kind: "switchover" | "failover";
  from: string;
  /** Who may lead, the preferred first. After a failover the most advanced of them does. */
  candidates: readonly string[];
  because: string;
}
