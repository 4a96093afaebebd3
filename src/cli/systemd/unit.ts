/** The unit of one network, as text. Pure. */
export interface UnitOptions {
  network: string;
  /** argv of this perch: node and the program. */
  program: readonly string[];
  /** PERCH_HOME. */
  base: string;
  /** The network's own directory. */
  root: string;
  pidFile: string;
  path: string;
  /** Of the system; else of the user that installs it. */
  system: boolean;
}

export const unitName = (network: string): string =>
  network === "default" ? "perch.service" : `perch-${network}.service`;

export function unitText(options: UnitOptions): string {
  const { network, program, base, root, pidFile, path, system } = options;
  const perch = (...words: string[]): string => [...program.map(execWord), ...words].join(" ");
  return `# Written by perch systemd install. To change something, use systemctl edit ${unitName(network)}: this file is written anew.
[Unit]
Description=Perch, network ${specifiers(network)}
After=network.target
RequiresMountsFor=${word(base)}
${network === "default" ? "" : `ConditionPathExists=${specifiers(root)}/network.json\n`}StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
# perch up ends when perchd is ready and everything is back.
Type=forking
PIDFile=${specifiers(pidFile)}
ExecStart=${perch("up", "--network", network)}
# A restart ends perchd alone, and nobody is left without an answer; a stop ends PostgreSQL, too, in order.
ExecStop=${perch("systemd", "stop", "--network", network, "--unit", "%n")}
Environment=${word(`PERCH_HOME=${base}`)} ${word(`PATH=${path}`)}
WorkingDirectory=/
Restart=on-failure
RestartSec=1
TimeoutStartSec=180
TimeoutStopSec=300

# PostgreSQL, the name server, public doors and poolers are processes of this unit, too, and outlive perchd.
KillMode=process
# One of them that the kernel ends for want of memory is started again by perchd; the others have nothing to do with it.
OOMPolicy=continue
TasksMax=infinity
LimitCORE=0
UMask=0077
${system ? "LimitNOFILE=524288\nOOMScoreAdjust=-500\n" : ""}
${hardening(system).join("\n")}

[Install]
WantedBy=${system ? "multi-user" : "default"}.target
`;
}

/** What perchd and all it starts can do without. docs/systemd.md says what is not here, and why. */
function hardening(system: boolean): string[] {
  return [
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=mnt net user ipc uts",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service @mount",
    "SystemCallErrorNumber=EPERM",
    ...(system ? ofRoot : []),
  ];
}

const ofRoot = [
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "DevicePolicy=closed",
  "DeviceAllow=/dev/net/tun rw",
  `CapabilityBoundingSet=${[
    "CAP_NET_ADMIN", // the namespace, its addresses, nftables
    "CAP_NET_BIND_SERVICE", // names at port 53
    "CAP_SYS_ADMIN", // namespaces and the mounts in them
    "CAP_SYS_PTRACE", // to tell a postmaster by the directory it works in
    "CAP_SETUID CAP_SETGID", // to become postgres, and nobody
    "CAP_SETPCAP", // to take rights from what it starts
    "CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_KILL", // its files and processes
  ].join(" ")}`,
];

/** systemd puts what a % names in its place. */
const specifiers = (text: string): string => text.replaceAll("%", "%%");
const word = (text: string): string => `"${specifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
/** In a command a $ names a variable. */
const execWord = (text: string): string => word(text).replaceAll("$", "$$$$");
