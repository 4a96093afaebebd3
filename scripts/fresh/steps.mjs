/** What a newcomer types, and what must come of it. Data: a step is lines of a shell (`as` another account), and patterns that its output has. */

const checkout = "cd ~/perch";

/** Root's packages are installed by quickstart; an ordinary user is told the line, which somebody with root's rights then types (`asRoot`). */
export function newcomers(account) {
  const root = account === "root";
  return [
    { what: "git clone", lines: ["git clone -q /srv/perch.git perch"], expects: [/^/] },
    ...(root
      ? []
      : [
          {
            what: "quickstart names the packages before it installs anything",
            lines: [checkout, "./perch quickstart"],
            fails: true,
            expects: [/iproute2/, /sudo apt-get install -y --no-install-recommends .*nftables/],
          },
          {
            what: "root installs what it named, and a psql",
            as: "root",
            lines: [
              "apt-get update -qq",
              "apt-get install -y -qq --no-install-recommends iproute2 nftables util-linux postgresql-client passt >/dev/null",
            ],
            expects: [/^/],
          },
        ]),
    {
      what: "./perch quickstart, from nothing",
      lines: [
        checkout,
        "time ./perch quickstart",
        "./perch status",
        "./perch postgres connect -a pg --command 'select 40 + 2 as answer'",
        "du -sm node_modules scripts/build/node_modules",
        "./perch down",
      ],
      expects: [/lhr: pg\.internal:5433 is \S+, a replica/, /answer[\s\S]*42/, /Perch is down/],
      show: true,
    },
    {
      what: "the README's session",
      lines: [
        checkout,
        "PATH=$PWD:$PATH",
        "perch up",
        "perch apps create web",
        "perch postgres create --name shop --region ams",
        "id=$(perch machine list -a shop --json | node -p 'JSON.parse(require(\"fs\").readFileSync(0))[0].id')",
        "perch machine clone $id --region lhr",
        "perch postgres attach shop --app web",
        `perch run -a web -- sh -c 'psql "$DATABASE_URL" -Atc "select 1 as one"'`,
        `perch run -a web --region lhr -- sh -c 'psql -p 5433 -Atc "select pg_is_in_recovery()"'`,
        "perch doctor -a web",
        "perch pg connect shop --command 'select version()'",
        "perch down",
      ],
      expects: [/streams from the leader/, /^1$/m, /^t$/m, /PostgreSQL \d+/, /Perch is down/],
    },
    {
      what: "the tarball, installed",
      lines: [
        checkout,
        "npm pack --silent | tail -1 > ~/tarball",
        `npm install --global --prefix ${root ? "/usr/local" : "$HOME/.local"} --silent ./$(cat ~/tarball)`,
        `cd /; PATH=${root ? "/usr/local/bin" : "$HOME/.local/bin"}:$PATH`,
        "export PERCH_HOME=$HOME/installed",
        "perch version",
        "perch quickstart",
        "perch pg connect pg --command 'select 40 + 2 as answer'",
        "perch down",
      ],
      expects: [/^perch \d+\.\d+\.\d+$/m, /answer[\s\S]*42/, /Perch is down/],
    },
    {
      what: "npm test -- --project house",
      lines: [checkout, "npm test -- --project house"],
      env: { CI: "" },
      expects: [/^[1-9]\d* passed, 0 failed, \d+ skipped$/m],
    },
  ];
}
