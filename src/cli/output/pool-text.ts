import type { PoolStatus } from "../../api/schemas.ts";
import { table } from "./columns.ts";

/** The pooler of a cluster for people. Pure. */
export function poolText(pool: PoolStatus): string {
  if (!pool.on)
    return `Cluster ${pool.cluster} has no pooler. Switch one on with: perch postgres pool on -a ${pool.cluster}`;
  const rows = pool.poolers.map(({ id, state, counts, note }) => [
    id === "leader" ? "6432 of any member" : `6433 of ${id}`,
    state,
    ...[counts?.clients, counts?.waiting, counts?.servers].map((count) => String(count ?? "-")),
    note ?? "",
  ]);
  return [
    `Pooler of ${pool.cluster}: PgBouncer ${pool.version ?? ""}, ${pool.mode ?? ""} mode, ${pool.size ?? 0} connections for each database and role`,
    table(["Port", "State", "Clients", "Waiting", "Servers", "Note"], rows, "None runs", { indent: 2 }),
    ...(pool.preparedStatements === false
      ? [
          "  No client may prepare statements through it: switch them off in each driver. For how: perch postgres recipe CLIENT -a APP",
        ]
      : []),
  ].join("\n");
}
