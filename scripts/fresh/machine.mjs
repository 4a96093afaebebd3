import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Bare machines: a Debian of its own below a directory, entered with namespaces of its own. */

export const releases = ["bookworm", "trixie"];

const run = (program, args, options = {}) => {
  const ended = spawnSync(program, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...options });
  if (ended.status !== 0)
    throw new Error(`${program} ${args.join(" ")}: ${ended.error?.message ?? ended.stderr.trim()}`);
  return ended.stdout.trim();
};

export function ensureDebootstrap(say) {
  if (spawnSync("debootstrap", ["--version"]).status === 0) return;
  say("Installing debootstrap …");
  run("apt-get", ["install", "-y", "-qq", "debootstrap"], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** The first archive that this host itself takes packages from, else Debian's own. */
function mirror() {
  const directory = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : []),
  ];
  const lines = files.filter((file) => existsSync(file)).flatMap((file) => readFileSync(file, "utf8").split("\n"));
  for (const line of lines) {
    const [, url] = /^(?:deb (?:\[[^\]]*\] )?|URIs: )(https?:\/\/\S*debian\/?)(\s|$)/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  return "http://deb.debian.org/debian";
}

/** Everything after `pivot_root` sees the bare machine alone; the first process ends, and with it all that it left. */
const enter = `set -e
mount --make-rprivate /; mount --bind "$ROOT" "$ROOT"; cd "$ROOT"
mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev
mount -t tmpfs -o mode=755 run run; mount -t tmpfs -o mode=1777 tmp tmp; mkdir -p run/lock before
pivot_root . before; cd /; umount -l /before; hostname fresh
exec "$@"`;

export function makeBare(release, root, checkout) {
  const include = "ca-certificates,git,passwd";
  run("debootstrap", ["--variant=minbase", `--include=${include}`, release, root, mirror()]);
  takeAlong(root);
  run("git", ["clone", "--quiet", "--bare", checkout, join(root, "srv/perch.git")]);
  // git serves no repository of another user unless it is told to.
  writeFileSync(join(root, "etc/gitconfig"), "[safe]\n\tdirectory = /srv/perch.git\n");
  run("chroot", [root, "useradd", "--create-home", "--shell", "/bin/bash", "user"]);
}

/** A machine of its own, copied from a bare one. */
export function machineFrom(bare, root) {
  run("cp", ["-a", bare, root]);
  return {
    root,
    remove: () => rmSync(root, { recursive: true, force: true }),
    /** Types lines into a shell of that account; what came out, and how it ended. */
    type(account, lines, env, minutes = 20) {
      const home = account === "root" ? "/root" : "/home/user";
      const words = Object.entries({
        HOME: home,
        PATH: account === "root" ? rootPath : userPath,
        LANG: "C.UTF-8",
        USER: account,
        ...trust,
        ...env,
      });
      const shell = [
        "env",
        "-i",
        ...words.map(([name, value]) => `${name}=${value}`),
        "bash",
        "-c",
        `cd; exec 2>&1; set -e\n${lines.join("\n")}`,
      ];
      const who = account === "root" ? shell : ["setpriv", "--reuid=user", "--regid=user", "--init-groups", ...shell];
      const argv = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--kill-child", "sh", "-c", enter, "sh", ...who];
      const { status, stdout, stderr } = spawnSync("unshare", argv, {
        encoding: "utf8",
        env: { ...process.env, ROOT: root },
        maxBuffer: 64 * 1024 * 1024,
        timeout: minutes * 60_000,
      });
      return { status, output: `${stdout}${stderr}`.trim() };
    },
  };
}

/** npm is told by a file; other programs of Node.js only so. */
const trust =
  process.env.NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt" };
const userPath = "/usr/local/bin:/usr/bin:/bin";
const rootPath = `/usr/local/sbin:/usr/sbin:/sbin:${userPath}`;

/**
 * Node.js and npm of this host, and what it says of mirrors and whom it trusts: the bare one reaches what this one
 * reaches.
 */
function takeAlong(root) {
  const node = realpathSync(process.execPath);
  const npm = dirname(dirname(realpathSync(run("sh", ["-c", "command -v npm"]))));
  mkdirSync(join(root, "usr/local/lib/node_modules"), { recursive: true });
  cpSync(node, join(root, "usr/local/bin/node"));
  cpSync(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  for (const name of ["npm", "npx"])
    run("ln", ["-sf", `../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name)]);
  const bundle = "etc/ssl/certs/ca-certificates.crt";
  for (const path of [
    "etc/resolv.conf",
    "etc/hosts",
    "etc/apt/apt.conf.d",
    "etc/pip.conf",
    "usr/local/share/ca-certificates",
    bundle,
  ])
    if (existsSync(`/${path}`)) cpSync(`/${path}`, join(root, path), { recursive: true, dereference: true });
  // Java has a store of its own, which is made of single files.
  run("chroot", [root, "update-ca-certificates"]);
  if (existsSync(`/${bundle}`)) cpSync(`/${bundle}`, join(root, bundle), { dereference: true });
  const registry = run("npm", ["config", "get", "registry"]);
  // The file that npm reads under every --prefix.
  writeFileSync(
    join(root, "usr/local/lib/node_modules/npm/npmrc"),
    `registry=${registry}\ncafile=/etc/ssl/certs/ca-certificates.crt\n`,
  );
}
