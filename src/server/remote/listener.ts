import type { RemoteRecord } from "../../model/records.ts";

/** The API's door for other hosts, as handlers see it: `daemon/` opens it. */
export interface RemoteDoor {
  /** All that is wanted; undefined shuts it. Rejects, and leaves what was, when it cannot listen. */
  set(wish: RemoteRecord | undefined): Promise<void>;
  /** Renews what is due. */
  keep(): Promise<void>;
  state(): { open: boolean; note?: string };
}
