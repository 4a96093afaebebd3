import type { State } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/** A changed record wakes the loop of what it is about, whoever changed it. */
export async function wakeOnChange(
  store: Store,
  state: State,
  wake: { cluster(app: string): void; network(): void },
): Promise<() => void> {
  const { revision } = await store.range("network");
  const stops = await Promise.all([
    state.clusters.watch(revision, (change) => wake.cluster(change.type === "put" ? change.record.app : change.of.app)),
    state.attachments.watch(revision, (change) =>
      wake.cluster(change.type === "put" ? change.record.cluster : change.of.cluster),
    ),
    state.rotations.watch(revision, (change) => {
      if (change.type === "put") wake.cluster(change.record.cluster);
    }),
    state.machines.watch(revision, (change) => {
      // A run that begins leaves nothing to be done; one that ends may leave a directory.
      if (change.type !== "put") wake.network();
      else if (change.record.kind === "postgres") wake.cluster(change.record.app);
    }),
    state.network.watch(revision, wake.network),
    state.peers.watch(revision, wake.network),
  ]);
  return () => stops.forEach((stop) => stop());
}
