import { spawnSync } from "node:child_process";
import { accessSync, constants, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

/**
 * What the tests need beside Node.js, as data: the program that tells whether it is there (with `asked`, what it must
 * be able to do), the Debian and Ubuntu package that has it, and what it is for. Where Debian's Go is too old for pgx,
 * `go.mjs` has it fetch another. `postgresql` and `postgresql-client` are the release's own major.
 */
const bookworm =
  existsSync("/etc/os-release") && /^VERSION_CODENAME=bookworm$/m.test(readFileSync("/etc/os-release", "utf8"));

export const needed = [
  { program: "ip", package: "iproute2", for: "the private network" },
  { program: "nft", package: "nftables", for: "the kernel map of port 5432" },
  { program: "unshare", package: "util-linux", for: "the private network" },
  { program: "prlimit", package: "util-linux", for: "that no process leaves a core" },
  { program: "pasta", package: "passt", for: "commands that reach the Internet" },
  { program: "curl", package: "curl", for: "what strangers see of a published port" },
  { program: "ping", package: "iputils-ping", for: "that networks do not reach each other" },
  { program: "wg", package: "wireguard-tools", for: "the WireGuard door" },
  { program: "wireguard-go", package: "wireguard-go", for: "the WireGuard door, where the kernel has none" },
  { program: "psql", package: "postgresql-client", for: "examples/psql and `perch postgres connect`" },
  { program: "postgres", package: "postgresql", for: "tests on the system's PostgreSQL, beside the one from npm" },
  { program: "systemctl", package: "systemd", for: "perch systemd, on a machine of its own" },
  { program: "pgbouncer", package: "pgbouncer", for: "the pooler" },
  { program: "ruby", package: "ruby", for: "examples/ruby and examples/rails" },
  { program: "ruby", asked: ["-rpg", "-e", "1"], package: "ruby-pg", for: "examples/ruby and examples/rails" },
  { program: "rails", package: "ruby-rails", for: "examples/rails" },
  { program: "go", package: "golang-go", for: "examples/go" },
  { program: "javac", package: "default-jdk-headless", for: "the order of addresses as Java sees it" },
  { program: "php", package: "php-cli", for: "examples/php" },
  {
    program: "php",
    asked: ["-r", 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);'],
    package: "php-pgsql",
    for: "examples/php",
  },
  // Debian 12's `cargo` is of 2022; beside it the release has a newer one.
  { program: "cargo", package: bookworm ? "cargo-web" : "cargo", for: "examples/rust" },
  { program: "pkg-config", package: "pkg-config", for: "examples/rust" },
  { program: "pkg-config", asked: ["--exists", "openssl"], package: "libssl-dev", for: "examples/rust" },
  { program: "mvn", package: "maven", for: "examples/jdbc, whose driver it fetches" },
  {
    program: "sh",
    asked: ["-c", "ls /usr/lib/*-linux-gnu/faketime/libfaketime.so.1"],
    package: "libfaketime",
    for: "test/faults/clock.test.ts, where perchd's clock jumps",
  },
  {
    program: "python3",
    asked: ["-c", "import ensurepip"],
    package: "python3-venv",
    for: "examples/python, examples/django, examples/asyncpg and both of SQLAlchemy",
  },
];

/** Where a program may lie: PATH, the sbin directories, and Debian's directories of PostgreSQL. */
function directories() {
  const versions = existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql").map((major) => `/usr/lib/postgresql/${major}/bin`)
    : [];
  return [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin", ...versions].filter(
    (directory) => directory !== "",
  );
}

const isThere = (program) =>
  directories().some((directory) => {
    try {
      accessSync(`${directory}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const answers = (program, args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

export const missing = () =>
  needed.filter(({ program, asked }) => !isThere(program) || (asked !== undefined && !answers(program, asked)));

/** Whether apt can be used here at all: Debian, Ubuntu or one like them, as root. */
export function canInstall() {
  if (process.getuid?.() !== 0 || !isThere("apt-get") || !existsSync("/etc/os-release")) return false;
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

/**
 * Installs packages, quietly unless it fails. Debian's server package would start a cluster on port 5432; it is told
 * not to, for this once: a PostgreSQL that somebody installs later gets the cluster that Debian promises.
 */
export function install(packages) {
  const directory = "/etc/postgresql-common";
  const setting = `${directory}/createcluster.conf`;
  const ours = packages.includes("postgresql") && !existsSync(setting);
  if (ours) {
    spawnSync("mkdir", ["-p", directory]);
    writeFileSync(setting, "create_main_cluster = false\n");
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", UCF_FORCE_CONFFOLD: "1", LC_ALL: "C" };
  const apt = (...args) =>
    spawnSync("apt-get", ["-qq", "-o", "Dpkg::Options::=--force-confold", ...args], { env, encoding: "utf8" });
  let result = apt("install", "-y", "--no-install-recommends", ...packages);
  if (result.status !== 0) {
    apt("update");
    result = apt("install", "-y", "--no-install-recommends", ...packages);
  }
  const shipped = "/usr/share/postgresql-common/createcluster.conf";
  if (ours && existsSync(shipped)) copyFileSync(shipped, setting);
  return result.status === 0 ? undefined : (result.stderr || String(result.error)).trim();
}
