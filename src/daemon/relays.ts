import { openRelay, type Relay } from "../network/relay.ts";
import type { State } from "../store/records.ts";

/** Portable mode: a relay a cluster, on the port it had before where that is free. */
export function relays(state: State): {
  relay(cluster: string): Promise<Relay>;
  closeGone(clusters: readonly string[]): Promise<void>;
} {
  const open = new Map<string, Promise<Relay>>();

  async function make(cluster: string): Promise<Relay> {
    const record = await state.clusters.get({ app: cluster });
    // Its port of old is taken: any other will do, and is kept.
    const relay = await openRelay(record?.portablePort ?? 0).catch(() => openRelay(0));
    if (record !== undefined && record.portablePort !== relay.port)
      await state.clusters.update(record, (current) => ({ ...current, portablePort: relay.port }));
    return relay;
  }

  return {
    relay(cluster) {
      const found = open.get(cluster) ?? make(cluster);
      open.set(cluster, found);
      return found;
    },
    async closeGone(clusters) {
      for (const [cluster, relay] of open) {
        if (clusters.includes(cluster)) continue;
        open.delete(cluster);
        await relay.then(
          (opened) => opened.close(),
          () => undefined,
        );
      }
    },
  };
}
