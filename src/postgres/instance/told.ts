import { lookBelow, unlessStrange } from "../../host/files/below.ts";
import type { Session } from "../sql/session.ts";
import type { Layout } from "./directory.ts";

/** When the newest of the files that Perch writes for a running server was written. Milliseconds since the epoch. */
export async function writtenAt({ data, tls }: Layout): Promise<number> {
  const look = (directory: string, name: string) => lookBelow(directory, name).catch(unlessStrange);
  const found = await Promise.all([look(data, "perch.conf"), look(data, "pg_hba.conf"), look(tls, "server.crt")]);
  return Math.max(0, ...found.map((stats) => stats?.mtimeMs ?? 0));
}

/** When a server last read its files, by the same clock. */
export async function readAt(session: Session): Promise<number> {
  const [row] = await session.query<{ at: number }>(
    "SELECT (extract(epoch FROM pg_catalog.pg_conf_load_time()) * 1000)::float8 AS at",
  );
  return row?.at ?? 0;
}
