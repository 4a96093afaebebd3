import type { Command } from "./command.ts";

/**
 * Every command, in the order of the help. Each is loaded when it is typed: of some fifty modules a command needs one.
 * Help, completion and docs/commands.md load all.
 */
const loaders: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  quickstart: () => import("./commands/quickstart.ts"),
  up: () => import("./commands/up.ts"),
  down: () => import("./commands/down.ts"),
  "network create": () => import("./commands/network/create.ts"),
  "network list": () => import("./commands/network/list.ts"),
  "network destroy": () => import("./commands/network/destroy.ts"),
  status: () => import("./commands/status.ts"),
  "apps create": () => import("./commands/apps/create.ts"),
  "apps list": () => import("./commands/apps/list.ts"),
  "apps destroy": () => import("./commands/apps/destroy.ts"),
  "secrets set": () => import("./commands/secrets/set.ts"),
  "secrets unset": () => import("./commands/secrets/unset.ts"),
  "secrets list": () => import("./commands/secrets/list.ts"),
  "secrets import": () => import("./commands/secrets/import.ts"),
  "secrets rekey": () => import("./commands/secrets/rekey.ts"),
  run: () => import("./commands/run.ts"),
  shell: () => import("./commands/shell.ts"),
  "host-access on": () => import("./commands/host-access/on.ts"),
  "host-access off": () => import("./commands/host-access/off.ts"),
  "host-access status": () => import("./commands/host-access/status.ts"),
  proxy: () => import("./commands/proxy.ts"),
  "postgres create": () => import("./commands/postgres/create.ts"),
  "postgres list": () => import("./commands/postgres/list.ts"),
  "postgres status": () => import("./commands/postgres/status.ts"),
  "postgres attach": () => import("./commands/postgres/attach.ts"),
  "postgres detach": () => import("./commands/postgres/detach.ts"),
  "postgres connect": () => import("./commands/postgres/connect.ts"),
  "postgres recipe": () => import("./commands/postgres/recipe.ts"),
  "postgres failover": () => import("./commands/postgres/failover.ts"),
  "postgres promote": () => import("./commands/postgres/promote.ts"),
  "postgres sync": () => import("./commands/postgres/sync.ts"),
  "postgres pool on": () => import("./commands/postgres/pool/on.ts"),
  "postgres pool off": () => import("./commands/postgres/pool/off.ts"),
  "postgres pool status": () => import("./commands/postgres/pool/status.ts"),
  "postgres restart": () => import("./commands/postgres/restart.ts"),
  "postgres destroy": () => import("./commands/postgres/destroy.ts"),
  "postgres expose": () => import("./commands/postgres/expose.ts"),
  "postgres unexpose": () => import("./commands/postgres/unexpose.ts"),
  "postgres exposures": () => import("./commands/postgres/exposures.ts"),
  "postgres db list": () => import("./commands/postgres/db/list.ts"),
  "postgres db create": () => import("./commands/postgres/db/create.ts"),
  "postgres db drop": () => import("./commands/postgres/db/drop.ts"),
  "postgres users list": () => import("./commands/postgres/users/list.ts"),
  "postgres users create": () => import("./commands/postgres/users/create.ts"),
  "postgres users drop": () => import("./commands/postgres/users/drop.ts"),
  "postgres users rotate": () => import("./commands/postgres/users/rotate.ts"),
  "postgres config binaries": () => import("./commands/postgres/config/binaries.ts"),
  "postgres config show": () => import("./commands/postgres/config/show.ts"),
  "postgres config update": () => import("./commands/postgres/config/update.ts"),
  "machine list": () => import("./commands/machine/list.ts"),
  "machine clone": () => import("./commands/machine/clone.ts"),
  "machine start": () => import("./commands/machine/start.ts"),
  "machine stop": () => import("./commands/machine/stop.ts"),
  "machine destroy": () => import("./commands/machine/destroy.ts"),
  "wireguard create": () => import("./commands/wireguard/create.ts"),
  "wireguard list": () => import("./commands/wireguard/list.ts"),
  "wireguard remove": () => import("./commands/wireguard/remove.ts"),
  doctor: () => import("./commands/doctor.ts"),
  dig: () => import("./commands/dig.ts"),
  events: () => import("./commands/events.ts"),
  logs: () => import("./commands/logs.ts"),
  "platform regions": () => import("./commands/platform/regions.ts"),
  "certs ca": () => import("./commands/certs/ca.ts"),
  "certs rotate": () => import("./commands/certs/rotate.ts"),
  "remote on": () => import("./commands/remote/on.ts"),
  "remote off": () => import("./commands/remote/off.ts"),
  "remote status": () => import("./commands/remote/status.ts"),
  "tokens create": () => import("./commands/tokens/create.ts"),
  "tokens list": () => import("./commands/tokens/list.ts"),
  "tokens revoke": () => import("./commands/tokens/revoke.ts"),
  login: () => import("./commands/login.ts"),
  logout: () => import("./commands/logout.ts"),
  "systemd install": () => import("./commands/systemd/install.ts"),
  "systemd uninstall": () => import("./commands/systemd/uninstall.ts"),
  "systemd status": () => import("./commands/systemd/status.ts"),
  "systemd print": () => import("./commands/systemd/print.ts"),
  "systemd stop": () => import("./commands/systemd/stop.ts"),
  "install-cli": () => import("./commands/install-cli.ts"),
  completion: () => import("./commands/completion.ts"),
  version: () => import("./commands/version.ts"),
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** The one export of the module that is a command. */
export async function loadCommand(name: string): Promise<Command> {
  const exported = Object.values((await loaders[name]?.()) ?? {});
  const command = exported.find(
    (value): value is Command => typeof value === "object" && value !== null && "name" in value && value.name === name,
  );
  if (command === undefined) throw new Error(`the module of "${name}" exports no command of that name`);
  return command;
}

export const loadAll = (): Promise<Command[]> => Promise.all(commandNames.map(loadCommand));
