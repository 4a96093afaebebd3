/** What stands in requests: what is there or may be made, what may not, and what is no text at all. */

const databases = ["app_1", "web", "postgres"];
/**
 * What is there, or may be made, by the name of the field; what an object's own keys are called by the name of the
 * object.
 */
const known: Readonly<Record<string, readonly string[]>> = {
  app: ["web", "web", "api", "pg"],
  cluster: ["pg", "pg", "pg", "web"],
  database: databases,
  user: databases,
  owner: databases,
  region: ["ams", "lhr"],
  variable: ["DATABASE_URL", "OTHER_URL"],
  secrets: ["KEY", "OTHER"],
  set: ["work_mem", "max_connections", "nothing", "port"],
  names: ["work_mem", "KEY", "DATABASE_URL"],
  unset: ["work_mem"],
  password: ["long-enough-1", "short"],
  name: ["web", "api", "app_1", "ci", "pg.internal", "1.0.0.127.in-addr.arpa"],
  token: ["ci"],
  subject: ["pg"],
  hostname: ["db.example.com"],
  // Nobody's: an address of the documentation.
  listen: ["203.0.113.7:5432"],
  replicaListen: ["203.0.113.7:5433"],
  allow: ["203.0.113.0/24", "2001:db8::/32"],
  host: ["pg.internal", "localhost", "web.internal", "fdaa::3", "127.0.0.1"],
};
export const wordsOf = (key: string): readonly string[] => known[key] ?? ["64MB", "10"];
export const strange = [
  ..."|New|-a|a.b|../../etc/passwd|%00|__proto__|constructor|toString|null|true|pg_x|template1|perch|1e3|203.0.113.7:5432|[::1]:1|203.0.113.0/33|';--|\"|\\".split(
    "|",
  ),
  "\0",
  "\n",
  "\u{202e}",
  "é",
  "\u{1f600}",
  "\ud800",
  "a".repeat(64),
  "a".repeat(300),
  "$(id)",
  "{{x}}",
  "-1",
  "0",
  "2026-11-24T06:30:00.000Z",
];

export const junk: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  2 ** 53,
  0.1,
  [],
  {},
  [[]],
  { a: { b: {} } },
  "",
  "x",
  [null, 1, "x"],
  { length: 1 },
  { toString: 1 },
  { constructor: 1 },
];
