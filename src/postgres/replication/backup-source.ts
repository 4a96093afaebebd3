import type { Member } from "../instance/directory.ts";
import type { Session } from "../sql/session.ts";

/** Where a copy comes from. */
export interface BackupSource {
  leader: Member;
  /** A new session of Perch's superuser on the leader. */
  open(): Promise<Session>;
  replicationPassword: string;
  /** Made before, so that the leader keeps what the copy needs to catch up. */
  slot: string;
}

export interface BackupOptions {
  signal?: AbortSignal;
  /** Bytes copied so far, and of how many where that is known. */
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** By the functions even where pg_basebackup is installed. */
  byFunctions?: boolean;
  /** Where the whole copy comes to lie: a name that is not there yet. The data directory itself where none is given. */
  into?: string;
}
