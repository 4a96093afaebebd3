/** The desired state, typed: one collection a noun, and transactions over all of them. */
import type {
  AppRecord,
  AttachmentRecord,
  ClusterRecord,
  FormerLoginRecord,
  KeyRecord,
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
  /** One record, once there was a key. */
  key: Collection<KeyRecord, never>;
  secrets: Collection<SecretRecord, "app" | "name">;
  attachments: Collection<AttachmentRecord, "cluster" | "app" | "variable">;
  /** `user` is percent-encoded: a name may hold a slash. */
  rotations: Collection<RotationRecord, "cluster" | "user">;
  /** `login` is percent-encoded, too. */
  formerLogins: Collection<FormerLoginRecord, "cluster" | "login">;
  /** Those who may join by WireGuard. */
  peers: Collection<PeerRecord, "name">;
  /** One record while other hosts may call, else none. */
  remote: Collection<RemoteRecord, never>;
  tokens: Collection<TokenRecord, "name">;
  /**
   * All writes or none, and none when one of the compares does not hold:
   * `commit([secrets.absent(secret), attachments.still(seen)], [secrets.put(secret), attachments.put(ready)])`.
   */
  commit(compare: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
}

/** Where each kind of record lies, and what it must look like. */
export const kinds = {
  network: { folder: "network", fields: [], shape: shapes.network },
  apps: { folder: "apps", fields: ["name"], shape: shapes.app },
  clusters: { folder: "clusters", fields: ["app"], shape: shapes.cluster },
  machines: { folder: "machines", fields: ["id"], shape: shapes.machine },
  key: { folder: "key", fields: [], shape: shapes.key },
  secrets: { folder: "secrets", fields: ["app", "name"], shape: shapes.secret },
  attachments: { folder: "attachments", fields: ["cluster", "app", "variable"], shape: shapes.attachment },
  rotations: { folder: "rotations", fields: ["cluster", "user"], shape: shapes.rotation },
  formerLogins: { folder: "former-logins", fields: ["cluster", "login"], shape: shapes.formerLogin },
  peers: { folder: "peers", fields: ["name"], shape: shapes.peer },
  remote: { folder: "remote", fields: [], shape: shapes.remote },
  tokens: { folder: "tokens", fields: ["name"], shape: shapes.token },
} as const;

export function state(store: Store): State {
  return {
    network: collection<NetworkRecord, never>(store, kinds.network),
    apps: collection<AppRecord, "name">(store, kinds.apps),
    clusters: collection<ClusterRecord, "app">(store, kinds.clusters),
    machines: collection<MachineRecord, "id">(store, kinds.machines),
    key: collection<KeyRecord, never>(store, kinds.key),
    secrets: collection<SecretRecord, "app" | "name">(store, kinds.secrets),
    attachments: collection<AttachmentRecord, "cluster" | "app" | "variable">(store, kinds.attachments),
    rotations: collection<RotationRecord, "cluster" | "user">(store, kinds.rotations),
    formerLogins: collection<FormerLoginRecord, "cluster" | "login">(store, kinds.formerLogins),
    peers: collection<PeerRecord, "name">(store, kinds.peers),
    remote: collection<RemoteRecord, never>(store, kinds.remote),
    tokens: collection<TokenRecord, "name">(store, kinds.tokens),
    commit: (compare, writes) => store.txn(compare, writes),
  };
}
