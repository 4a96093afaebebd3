/** The desired state, typed: one collection a noun, and transactions over all of them. */
import type {
  AppRecord,
  AttachmentRecord,
  ClusterRecord,
  MachineRecord,
  NetworkRecord,
  PeerRecord,
  RemoteRecord,
  RotationRecord,
  SecretRecord,
  TokenRecord,
} from "../model/records.ts";
import { type Collection, collection } from "./collection.ts";
import { shapes } from "./shapes.ts";
import type { Compare, Store, TxnResult, Write } from "./store.ts";

export interface State {
  /** One record: a store holds one network. */
  network: Collection<NetworkRecord, never>;
  apps: Collection<AppRecord, "name">;
  clusters: Collection<ClusterRecord, "app">;
  machines: Collection<MachineRecord, "id">;
  secrets: Collection<SecretRecord, "app" | "name">;
  attachments: Collection<AttachmentRecord, "cluster" | "app" | "variable">;
  /** `user` is percent-encoded: a name may hold a slash. */
  rotations: Collection<RotationRecord, "cluster" | "user">;
  /** Those who may join by WireGuard. */
  peers: Collection<PeerRecord, "name">;
  /** One record while other machines may call, else none. */
  remote: Collection<RemoteRecord, never>;
  tokens: Collection<TokenRecord, "name">;
  /**
   * All writes or none, and none when one of the compares does not hold:
   * `commit([secrets.absent(secret), attachments.still(seen)], [secrets.put(secret), attachments.put(ready)])`.
   */
  commit(compare: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
}

export function state(store: Store): State {
  return {
    network: collection<NetworkRecord, never>(store, { folder: "network", fields: [], shape: shapes.network }),
    apps: collection<AppRecord, "name">(store, { folder: "apps", fields: ["name"], shape: shapes.app }),
    clusters: collection<ClusterRecord, "app">(store, { folder: "clusters", fields: ["app"], shape: shapes.cluster }),
    machines: collection<MachineRecord, "id">(store, { folder: "machines", fields: ["id"], shape: shapes.machine }),
    secrets: collection<SecretRecord, "app" | "name">(store, { folder: "secrets", fields: ["app", "name"], shape: shapes.secret }),
    attachments: collection<AttachmentRecord, "cluster" | "app" | "variable">(store, {
      folder: "attachments",
      fields: ["cluster", "app", "variable"],
      shape: shapes.attachment,
    }),
    rotations: collection<RotationRecord, "cluster" | "user">(store, { folder: "rotations", fields: ["cluster", "user"], shape: shapes.rotation }),
    peers: collection<PeerRecord, "name">(store, { folder: "peers", fields: ["name"], shape: shapes.peer }),
    remote: collection<RemoteRecord, never>(store, { folder: "remote", fields: [], shape: shapes.remote }),
    tokens: collection<TokenRecord, "name">(store, { folder: "tokens", fields: ["name"], shape: shapes.token }),
    commit: (compare, writes) => store.txn(compare, writes),
  };
}
