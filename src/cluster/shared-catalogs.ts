import { serialise } from "../base/serialise.ts";

const turns = new Map<string, ReturnType<typeof serialise>>();

/**
 * What changes roles and databases of a cluster is done one after another: PostgreSQL keeps both in catalogs that all
 * databases share, and two that meet there fail with "tuple concurrently updated", or miss a database that the other
 * has just dropped. Must not be called by what is in its turn already.
 */
export function inTurn<T>(cluster: string, work: () => Promise<T>): Promise<T> {
  const turn = turns.get(cluster) ?? serialise();
  turns.set(cluster, turn);
  return turn(work);
}
