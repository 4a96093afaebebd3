import type { ClusterFacts, Facts, Line, MemberFacts, Target } from "../../src/doctor/facts.ts";
import type { Admission } from "../../src/postgres/sql/connect-privilege.ts";

/** Facts for tests: all is well, and what a test changes. */
export const leader: MemberFacts = {
  id: "a1",
  region: "ams",
  role: "leader",
  address: "fdaa:1:2:1::10",
  state: "started",
  lagBytes: 0,
};
export const replica: MemberFacts = {
  id: "l1",
  region: "lhr",
  role: "replica",
  address: "fdaa:1:2:c::11",
  state: "streaming",
  lagBytes: 24,
};
export const stopped: MemberFacts = { ...leader, state: "stopped", lagBytes: null };

export const target: Target = {
  user: "web",
  password: "s3cret-s3cret",
  host: "pg.internal",
  port: 5432,
  database: "web",
  sslmode: "prefer",
};

export const admission: Admission = {
  role: { login: true, expired: false, limit: -1, taken: 2 },
  database: { open: true },
  mayConnect: true,
  connections: { max: 297, taken: 5 },
};

export const cluster: ClusterFacts = { name: "pg", members: [leader, replica], admission };

const gigabyte = 1024 ** 3;

export const well: Facts = {
  daemon: { pid: 7, version: "0.1.0" },
  app: "web",
  variable: "DATABASE_URL",
  mode: "root",
  weak: false,
  prefix: "fdaa:1:2",
  target,
  attachment: { cluster: "pg", user: "web", login: "web", database: "web" },
  clusters: ["pg"],
  cluster,
  knock: {
    addresses: [leader.address],
    port: { address: leader.address },
    tls: { protocol: "TLSv1.3", verified: true },
    login: { recovering: false, readOnly: false },
  },
  disk: { path: "/data", freeBytes: 50 * gigabyte, bytes: 100 * gigabyte },
  warnings: [],
};

/** The knock as it ended with PostgreSQL's refusal. */
export const turnedAway = (state: string, error: string): Facts["knock"] => ({
  ...well.knock,
  login: { state, error },
});

export const lineText = ({ check, state, sentence, next }: Line): string =>
  `${state} ${check}: ${sentence}${next === undefined ? "" : ` → ${next}`}`;
