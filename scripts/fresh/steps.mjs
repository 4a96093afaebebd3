/**
 * What a newcomer types, and what must come of it. Data: a step is lines of a shell (`as` another account), and
 * patterns that its output has.
 */

const checkout = "cd ~/perch";

/**
 * Root's packages are installed by quickstart; an ordinary user is told the line, which somebody with root's rights
 * then types (`asRoot`).
 */
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
        `du -sm node_modules scripts/build/node_modules dist ${root ? "/var/lib/perch" : "~/.perch"}`,
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
      what: "npm pack in a clone where nothing was built",
      lines: [
        "git clone -q /srv/perch.git packed && cd packed",
        "npm pack --silent | tail -1",
        "mv perch-*.tgz ~/perch.tgz",
        "du -k ~/perch.tgz",
      ],
      expects: [/^perch-.*\.tgz$/m],
      show: true,
    },
    {
      what: "the tarball, installed",
      lines: [
        `npm install --global --prefix ${root ? "/usr/local" : "$HOME/.local"} --silent ~/perch.tgz`,
        `cd /; PATH=${root ? "/usr/local/bin" : "$HOME/.local/bin"}:$PATH`,
        "export PERCH_HOME=$HOME/installed",
        "perch version",
        "perch quickstart",
        "perch pg connect pg --command 'select 40 + 2 as answer'",
        "perch down",
        "du -sm $PERCH_HOME $(dirname $(dirname $(dirname $(realpath $(command -v perch)))))",
      ],
      expects: [/^perch \d+\.\d+\.\d+$/m, /answer[\s\S]*42/, /Perch is down/],
    },
    ...[9, 10, 11].map(byNpm),
    {
      what: "Debian's PostgreSQL, installed beside it, has its own cluster",
      as: "root",
      lines: [
        "apt-get install -y -qq --no-install-recommends postgresql >/dev/null",
        "pg_lsclusters --no-header",
        "stat --format='%U owns it' /var/lib/postgresql/*/main",
        "id --name --groups postgres",
      ],
      expects: [/^\d+ +main +5432 .* postgres /m, /^postgres owns it$/m, /^postgres ssl-cert$/m],
    },
    {
      what: "the tarball, where the system has a PostgreSQL",
      lines: [
        `PATH=${root ? "/usr/local/bin" : "$HOME/.local/bin"}:$PATH`,
        "export PERCH_HOME=$HOME/system",
        "perch up",
        "perch postgres create --name pg --region ams",
        "perch pg connect pg --command 'select 40 + 2 as answer'",
        "perch down",
      ],
      expects: [/PostgreSQL \d+\.\d+ \(system\)/, /answer[\s\S]*42/],
    },
    {
      what: "npm test -- --project house",
      lines: [checkout, "npm test -- --project house"],
      env: { CI: "" },
      expects: [/^[1-9]\d* passed, 0 failed, \d+ skipped$/m],
    },
    {
      what: "removed as the README says, nothing of it is left but packages and npm's cache",
      lines: [
        checkout,
        "./perch install-cli",
        "./perch up",
        "./perch systemd uninstall || true",
        "./perch install-cli --remove",
        "./perch down",
        ...(root
          ? ["rm -rf /var/lib/perch /run/perch", "userdel perch-postgres"]
          : ["rm -rf ~/.perch /tmp/perch-$(id -u)"]),
        "cd && rm -rf perch",
        // What this walk itself has made elsewhere goes first.
        "rm -rf ~/packed ~/installed ~/system ~/home-* ~/npm* ~/below-* /var/tmp/$USER-* ~/perch.tgz",
        `PATH=/usr/local/bin:$PATH npm uninstall --silent --global --prefix ${root ? "/usr/local" : "$HOME/.local"} perch`,
        "echo left: $(find / -xdev -iname '*perch*' -not -path '/proc/*' -not -path '/srv/*' -not -path \"$HOME/.npm/*\" 2>/dev/null)",
        "echo left: $(ls -d /run/*perch* /run/netns/*perch* /tmp/*perch* 2>/dev/null) $(grep -l perch /etc/passwd /etc/group)",
      ],
      expects: [/^left:\nleft:$/m],
    },
  ];
}

/**
 * The tarball under one npm, below the home and elsewhere; and the PostgreSQL that Perch copied out of it, which needs
 * the package no more.
 */
function byNpm(major) {
  const npm = `~/npm${major}/node_modules/.bin`;
  return {
    what: `the tarball under npm ${major}, and without it`,
    lines: [
      `npm install --silent --prefix ~/npm${major} npm@${major}`,
      `cp /usr/local/lib/node_modules/npm/npmrc ~/npm${major}/node_modules/npm/`,
      `PATH=$(echo ${npm}):$PATH`,
      "echo npm $(npm --version)",
      `places="$HOME/below-${major} /var/tmp/$USER-${major}"`,
      "for place in $places; do npm install --silent --global --prefix $place ~/perch.tgz; $place/bin/perch version; done",
      `export PERCH_HOME=$HOME/home-${major}`,
      "perch=$place/bin/perch",
      "$perch up",
      "$perch postgres create --name pg --region ams",
      "$perch pg connect pg --command 'select 40 + 2 as answer'",
      "$perch down",
      "for place in $places; do npm uninstall --silent --global --prefix $place perch; done",
      "test ! -e $perch",
      "for copy in $PERCH_HOME/postgres/tools/postgresql-*; do find $copy -xtype l; find $copy -lname '/*'; $copy/bin/postgres --version; done",
      "cd ~ && npx --yes ./perch.tgz version",
    ],
    expects: [
      new RegExp(`^npm ${major}\\.`, "m"),
      /answer[\s\S]*42[\s\S]*^Perch is down.*\npostgres \(PostgreSQL\) \d+\.\d+\s+(npm warn.*\s+)*perch \d+\.\d+\.\d+$/im,
    ],
  };
}

/**
 * Who works on Perch: `npm test` itself installs what the tests need, and with CI=true ends where a program is missing.
 */
export function testers(projects) {
  const chosen = projects.map((name) => `--project ${name}`).join(" ");
  return [
    { what: "git clone", lines: ["git clone -q /srv/perch.git perch"], expects: [/^/] },
    {
      what: `CI=true npm test${chosen === "" ? "" : ` -- ${chosen}`}`,
      lines: [checkout, `npm test${chosen === "" ? "" : ` -- ${chosen}`}`],
      env: { CI: "true" },
      minutes: 120,
      expects: [/^[1-9]\d* passed, 0 failed, \d+ skipped$/m],
    },
  ];
}
