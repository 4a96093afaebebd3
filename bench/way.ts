/** One way to the leader, and the names that tables, goals and the plot have for them. */
export const names = {
  direct: "direct 5433",
  map: "Perch 5432",
  pool: "Perch 6432",
  haproxy: "HAProxy",
  pgbouncer: "PgBouncer",
  relay: "Node relay",
} as const;

export interface Way {
  name: string;
  host: string;
  port: number;
}

export interface Peer {
  way: Way;
  stop(): Promise<void>;
}

/** Whether a query comes back through it. */
export type Answers = (way: Way) => Promise<true | undefined>;
