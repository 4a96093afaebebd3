import { lstatSync } from "node:fs";
import type { Owner } from "../files/files.ts";

/**
 * Where a network's processes run, and as whom: what the namespace offers to those who start programs in it. `network/`
 * makes one for each way of having a namespace; in portable mode everything runs on the host as it is.
 */
export interface Place {
  readonly mode: "root" | "user" | "portable";
  /** argv that runs a system tool (ip, nft, a helper that binds port 53) inside, with rights over the namespace. */
  tool(argv: readonly string[]): string[];
  /**
   * argv that runs a program of PostgreSQL inside, as the user PostgreSQL runs as. Paths in argv must come from `seen`.
   */
  server(argv: readonly string[]): string[];
  /**
   * How a path on the host reads for programs run by `server`: the same, or below the runtime directory where
   * PERCH_HOME is shut to that user.
   */
  seen(path: string): string;
  /** The namespaces themselves, by path, for a tool that joins them from the host's side. */
  joined?(): { net: string; user?: string };
  /** Who must own PostgreSQL's files; undefined when that is the user perchd runs as. */
  readonly owner: Owner | undefined;
  /**
   * As whom servers of an older Perch run: what is still that user's is run and given files as that user, until it
   * moves. Only while anything is.
   */
  readonly former?: Running;
  /** Of a place for what is the former user's still: who it moves to. */
  readonly successor?: Owner;
}

/** Programs of PostgreSQL as one user. */
export interface Running {
  readonly owner: Owner;
  server(argv: readonly string[]): string[];
}

/**
 * The place for what has this path: the former user's while the path is. The directory that it lies in must be
 * perchd's.
 */
export function asOwnerOf(place: Place, path: string): Place {
  const { former, owner, ...rest } = place;
  if (former === undefined || owner === undefined) return place;
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.uid === former.owner.uid ? { ...rest, ...former, successor: owner } : place;
}

/** The uids that servers may run as. */
export const serverUids = ({ owner, former }: Place): number[] =>
  [owner, former?.owner].flatMap((one) => (one === undefined ? [] : [one.uid]));
