import { describe, expect, it } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import { admission, cluster, leader, lineText, replica, stopped, target, turnedAway, well } from "./facts.ts";

const rotate = "perch postgres users rotate web -a pg";
const restart = "perch machine start a1";
const sql = "perch postgres connect -a pg";
const known = (more: Partial<typeof admission>) => ({ ...cluster, admission: { ...admission, ...more } });

const cases: [title: string, change: Partial<Facts>, lines: string[]][] = [
  [
    "the namespace cannot be entered",
    { knock: { error: "nsenter: cannot open" } },
    ["fail namespace: a program cannot be run where the app runs: nsenter: cannot open → perch down && perch up"],
  ],
  [
    "the app is attached to nothing",
    { target: undefined, attachment: undefined, cluster: undefined, knock: {} },
    ["fail url: web has no secret DATABASE_URL: it is not attached to a cluster → perch postgres attach pg --app web"],
  ],
  [
    "its secret was taken away",
    { target: undefined, knock: {} },
    [`fail url: the secret DATABASE_URL of web was taken away → ${rotate}`],
  ],
  [
    "the secret is no URL",
    { target: "not a URL", knock: {} },
    [`fail url: DATABASE_URL does not begin with postgres:// or is no URL → ${rotate}`],
  ],
  [
    "the URL was set by hand and names what is not there",
    {
      target: { ...target, host: "nosuch.internal" },
      cluster: undefined,
      knock: { addresses: { error: "ENOTFOUND" } },
    },
    [
      `warn url: DATABASE_URL leads to web@nosuch.internal:5432/web, but the attachment is web@pg.internal/web: it was set over by hand → ${rotate}`,
      `fail name: there is no name nosuch.internal → ${rotate}`,
    ],
  ],
  [
    "no member answers",
    { knock: { addresses: { error: "ENOTFOUND" } }, cluster: { ...cluster, members: [stopped], admission: undefined } },
    [
      `fail name: pg.internal has no address: no member of pg answers → ${restart}`,
      `fail leader: the leader a1 in ams is stopped → ${restart}`,
    ],
  ],
  [
    "the name server is silent",
    { knock: { addresses: { error: "EAI_AGAIN" } } },
    ["fail name: the name server does not answer for pg.internal (EAI_AGAIN) → perch events"],
  ],
  [
    "the leader is stopped and a replica is not",
    {
      knock: { addresses: [replica.address], port: { error: "fdaa:1:2:c::11: ECONNREFUSED" } },
      cluster: { ...cluster, members: [stopped, replica], admission: undefined },
    },
    [
      `fail port: port 5432 of pg.internal does not open (fdaa:1:2:c::11: ECONNREFUSED): the leader of pg does not answer → ${restart}`,
      `fail leader: the leader a1 in ams is stopped → ${restart}`,
    ],
  ],
  [
    "the certificate is another authority's",
    {
      target: { ...target, sslmode: "verify-full", sslrootcert: "/ca.pem" },
      knock: { ...well.knock, tls: { protocol: "TLSv1.3", verified: false }, login: undefined } as Facts["knock"],
    },
    ["fail tls: the certificate is not one that /ca.pem vouches for (sslmode=verify-full) → perch certs ca > ca.pem"],
  ],
  [
    "the password was changed",
    { knock: turnedAway("28P01", "password authentication failed") },
    [`fail password: PostgreSQL refuses the password of web: it is not the one in DATABASE_URL → ${rotate}`],
  ],
  [
    "the database is gone",
    { knock: turnedAway("3D000", "no database"), cluster: known({ database: undefined, mayConnect: false }) },
    [
      "fail database: pg has no database web, which the URL of web names → perch postgres db create web -a pg --owner web",
    ],
  ],
  [
    "the role is gone",
    {
      knock: turnedAway("28P01", "password authentication failed"),
      cluster: { ...known({ role: undefined, mayConnect: false }), roleless: true },
    },
    [
      "fail role: pg has no role web, as which the app works → perch postgres detach pg --app web && perch postgres attach pg --app web --yes --database-name web --database-user web",
    ],
  ],
  [
    "the role is gone, and a login of it comes in all the same",
    { cluster: { ...cluster, roleless: true } },
    [
      "fail role: pg has no role web, as which the app works → perch postgres detach pg --app web && perch postgres attach pg --app web --yes --database-name web --database-user web",
    ],
  ],
  [
    "a login of the role is gone",
    {
      target: { ...target, user: "web.2" },
      attachment: { cluster: "pg", user: "web", login: "web.2", database: "web" },
      knock: turnedAway("28P01", "password authentication failed"),
      cluster: known({ role: undefined, mayConnect: false }),
    },
    [`fail role: pg has no role web.2, as which the app logs in → ${rotate}`],
  ],
  [
    "the role may not log in",
    {
      knock: turnedAway("28000", "not permitted"),
      cluster: known({ role: { login: false, expired: false, limit: -1, taken: 0 } }),
    },
    [`fail role: the role web may not log in (NOLOGIN) → ${sql}`],
  ],
  [
    "the role may not connect to the database",
    { knock: turnedAway("42501", "permission denied"), cluster: known({ mayConnect: false }) },
    [`fail role: the role web may not connect to web: GRANT CONNECT is missing → ${sql}`],
  ],
  [
    "pg_hba.conf turns it away",
    { knock: turnedAway("28000", "pg_hba.conf rejects connection") },
    ["fail role: PostgreSQL does not let web in: pg_hba.conf rejects connection → perch logs -a pg"],
  ],
  [
    "every connection is taken",
    { knock: turnedAway("53300", "too many clients"), cluster: known({ connections: { max: 97, taken: 97 } }) },
    [
      "fail connections: 0 of 97 are left; web has 2 → perch postgres config update -a pg --max-connections 194 --restart",
    ],
  ],
  [
    "the role has all it may have",
    {
      knock: turnedAway("53300", "too many for role"),
      cluster: known({ role: { login: true, expired: false, limit: 3, taken: 3 } }),
    },
    [`fail connections: web has all 3 connections that its role may have (CONNECTION LIMIT) → ${sql}`],
  ],
  [
    "the disk is nearly full",
    { disk: { path: "/data", freeBytes: 10 * 1024 ** 2, bytes: 100 * 1024 ** 3 } },
    ["fail disk: 10 MB of 102400 MB are free under /data → perch postgres db list -a pg"],
  ],
  [
    "a replica is stopped",
    { cluster: { ...cluster, members: [leader, { ...replica, state: "stopped", lagBytes: null }] } },
    ["warn lag: replica l1 in lhr is stopped → perch machine start l1"],
  ],
  [
    "a replica does not stream, and its log says why",
    {
      cluster: {
        ...cluster,
        members: [
          leader,
          { ...replica, state: "started", lagBytes: null, note: "it does not stream from the leader: no" },
        ],
      },
    },
    ["warn lag: replica l1 in lhr is not streaming: it does not stream from the leader: no → perch logs -a pg"],
  ],
  [
    "somebody paused a replica",
    {
      cluster: {
        ...cluster,
        members: [leader, { ...replica, state: "paused", note: "somebody called pg_wal_replay_pause()" }],
      },
    },
    ["warn lag: replica l1 in lhr is not replaying: somebody called pg_wal_replay_pause() → perch logs -a pg"],
  ],
  [
    "the program under the servers is another version's",
    {
      cluster: {
        ...cluster,
        members: [
          { ...leader, note: "it runs 15.18" },
          { ...replica, note: "it runs 15.18" },
        ],
      },
    },
    [
      "warn leader: the leader a1 in ams takes reads and writes: it runs 15.18 → perch postgres status -a pg",
      "warn lag: replica l1 in lhr streams: it runs 15.18 → perch postgres status -a pg",
    ],
  ],
  [
    "a replica is far behind",
    { cluster: { ...cluster, members: [leader, { ...replica, lagBytes: 200 * 1024 ** 2 }] } },
    ["warn lag: replica l1 in lhr is 200 MB behind → perch logs -a pg"],
  ],
];

describe("the judge", () => {
  it("passes each place in the order a packet goes, where all is well", () => {
    const lines = judge(well);
    expect(lines.map(({ check }) => check)).toEqual(
      "daemon namespace url name address port tls password database role leader connections disk lag".split(" "),
    );
    expect(lines.filter(({ state }) => state !== "ok")).toEqual([]);
  });

  it.each(cases)("says what is wrong and what helps: %s", (_title, change, wanted) => {
    const lines = judge({ ...well, ...change });
    expect(lines.filter(({ state }) => state !== "ok").map(lineText)).toEqual(wanted);
    expect(JSON.stringify(lines)).not.toContain(target.password);
  });

  it("finds a replica behind port 5433 as it should be", () => {
    const lines = judge({
      ...well,
      target: { ...target, port: 5433 },
      knock: { ...well.knock, login: { recovering: true, readOnly: true } },
    });
    expect(lines.every(({ state }) => state === "ok")).toBe(true);
    expect(lines.map(lineText)).toContain(
      "ok leader: the URL leads to a replica: it reads, and a write fails with 25006",
    );
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    [
      "of an ordinary user",
      { mode: "user" },
      /^ok namespace: .*cannot wall them off from that user's files and ports$/,
    ],
    ["of portable mode", { mode: "portable" }, /^ok namespace: there is none: .*cannot wall them off/],
    [
      "of root where user namespaces are refused",
      { weak: true },
      /^warn namespace: .*can read other apps and Perch's files → perch run --user/,
    ],
  ])("says what the network %s does not keep apart", (_whose, change, sentence) => {
    const line = judge({ ...well, ...change }).find(({ check }) => check === "namespace");
    expect(line && lineText(line)).toMatch(sentence);
  });

  it("lets a server be that is none of Perch's", () => {
    const elsewhere: Partial<Facts> = {
      target: { ...target, host: "db.example" },
      attachment: undefined,
      cluster: undefined,
    };
    const lines = judge({ ...well, ...elsewhere }).map(lineText);
    expect(lines).toContain("warn address: db.example is fdaa:1:2:1::10: no member of a cluster here → perch status");
    expect(lines).toContain("ok database: a server that is not Perch's lets the app in");
  });
});
