/** Everything in the store that is sealed, wherever it stands: what a change of key must reach. */
import type { NetworkRecord, RotationRecord, SecretRecord } from "../model/records.ts";
import type { State } from "./records.ts";
import type { SecretKey } from "./secret-key.ts";
import type { Compare, Write } from "./store.ts";
import { wireGuardContext } from "./wireguard-key.ts";

export interface Sealed {
  context: string;
  sealed: string;
  /** Holds while nobody has changed the record. */
  still: Compare;
  /** The record with the value under another key; all else in it stays as it is. */
  under(key: SecretKey, value: string): Write;
}

export const secretContext = ({ app, name }: Pick<SecretRecord, "app" | "name">): string => `${app}/${name}`;
export const rotationContext = ({ cluster, user }: Pick<RotationRecord, "cluster" | "user">): string => `${cluster}/${user}`;

export async function everySealed(state: State): Promise<Sealed[]> {
  const [secrets, rotations, networks] = await Promise.all([state.secrets.seeAll(), state.rotations.seeAll(), state.network.seeAll()]);
  return [
    ...secrets.map((seen): Sealed => {
      const { record } = seen;
      const context = secretContext(record);
      const under = (key: SecretKey, value: string) =>
        state.secrets.put({ ...record, sealed: key.seal(context, value), digest: key.digest(context, value) });
      return { context, sealed: record.sealed, still: state.secrets.still(seen), under };
    }),
    ...rotations.map((seen): Sealed => {
      const { record } = seen;
      const context = rotationContext(record);
      const under = (key: SecretKey, value: string) => state.rotations.put({ ...record, sealed: key.seal(context, value) });
      return { context, sealed: record.sealed, still: state.rotations.still(seen), under };
    }),
    ...networks.flatMap((seen): Sealed[] => {
      const { wireguard } = seen.record;
      if (wireguard === undefined) return [];
      const under = (key: SecretKey, value: string) =>
        state.network.put({ ...seen.record, wireguard: { ...wireguard, sealed: key.seal(wireGuardContext, value) } } satisfies NetworkRecord);
      return [{ context: wireGuardContext, sealed: wireguard.sealed, still: state.network.still(seen), under }];
    }),
  ];
}
