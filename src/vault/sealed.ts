/** Everything in the store that is sealed, wherever it stands: what a change of key must reach. */
import type { NetworkRecord, RotationRecord, SecretRecord } from "../model/records.ts";
import type { State } from "../store/records.ts";
import type { SecretKey } from "./secret-key.ts";
import type { Compare, Write } from "../store/store.ts";
import { authorityContexts } from "./authority-keys.ts";
import { wireGuardContext } from "./wireguard-key.ts";

/** What is sealed in one record. */
export interface Sealed {
  parts: readonly { context: string; sealed: string }[];
  /** Holds while nobody has changed the record. */
  still: Compare;
  /** The record with these values, in the order of its parts, under another key; all else in it stays as it is. */
  under(key: SecretKey, values: readonly string[]): Write;
}

export const secretContext = ({ app, name }: Pick<SecretRecord, "app" | "name">): string => `${app}/${name}`;
export const rotationContext = ({ cluster, user }: Pick<RotationRecord, "cluster" | "user">): string =>
  `${cluster}/${user}`;

export async function everySealed(state: State): Promise<Sealed[]> {
  const [secrets, rotations, networks] = await Promise.all([
    state.secrets.seeAll(),
    state.rotations.seeAll(),
    state.network.seeAll(),
  ]);
  return [
    ...secrets.map((seen): Sealed => {
      const { record } = seen;
      const context = secretContext(record);
      const under = (key: SecretKey, [value = ""]: readonly string[]) =>
        state.secrets.put({ ...record, sealed: key.seal(context, value), digest: key.digest(context, value) });
      return { parts: [{ context, sealed: record.sealed }], still: state.secrets.still(seen), under };
    }),
    ...rotations.map((seen): Sealed => {
      const { record } = seen;
      const context = rotationContext(record);
      const under = (key: SecretKey, [value = ""]: readonly string[]) =>
        state.rotations.put({ ...record, sealed: key.seal(context, value) });
      return { parts: [{ context, sealed: record.sealed }], still: state.rotations.still(seen), under };
    }),
    ...networks.map((seen): Sealed => ({
      parts: placesIn(seen.record).map(({ context, sealed }) => ({ context, sealed })),
      still: state.network.still(seen),
      under: (key, values) =>
        state.network.put(
          placesIn(seen.record).reduce(
            (record, { context, set }, at) => set(record, key.seal(context, values[at] ?? "")),
            seen.record,
          ),
        ),
    })),
  ].filter(({ parts }) => parts.length > 0);
}

interface SealedPlace {
  context: string;
  sealed: string;
  set(record: NetworkRecord, sealed: string): NetworkRecord;
}

/** The network's own keys. */
function placesIn({ wireguard, authority }: NetworkRecord): SealedPlace[] {
  const found: SealedPlace[] = [];
  if (wireguard !== undefined)
    found.push({
      context: wireGuardContext,
      sealed: wireguard.sealed,
      set: (record, sealed) => ({ ...record, wireguard: { ...wireguard, sealed } }),
    });
  for (const which of ["root", "below"] as const) {
    if (authority === undefined) continue;
    const context = authorityContexts[which];
    const set = (record: NetworkRecord, sealed: string) => {
      const now = record.authority ?? authority;
      return { ...record, authority: { ...now, [which]: { ...now[which], sealed } } };
    };
    found.push({ context, sealed: authority[which].sealed, set });
  }
  return found;
}
