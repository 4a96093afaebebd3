import { readFile, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../../errors/error.ts";
import { exists, makeDirectory, readText, writeWhole } from "../../host/files/files.ts";
import { defaultNetwork, type Home, homeOf } from "../../host/system/home.ts";
import { namedNetworks } from "../../host/system/networks.ts";
import { isEnabled, type Manager, managerOf, systemctl } from "../../host/system/systemd.ts";
import { unitName, unitText } from "./unit.ts";

/** The service of one network: where its unit lies, what is in it, how it does. */
export interface Service {
  home: Home;
  unit: string;
  file: string;
}

const serviceOf = (home: Home, { directory }: Manager): Service => {
  const unit = unitName(home.network);
  return { home, unit, file: join(directory, unit) };
};

/** That of the network that was named; of every network of the home where none was. */
export async function servicesOf(home: Home, allNetworks: boolean, manager: Manager = managerOf()): Promise<Service[]> {
  const named = allNetworks ? (await namedNetworks(home.base)).filter(({ made }) => made !== undefined) : [];
  const homes = allNetworks ? [homeOf(home.base, defaultNetwork), ...named.map((network) => network.home)] : [home];
  return homes.map((one) => serviceOf(one, manager));
}

export async function textOf({ home }: Service, manager: Manager): Promise<string> {
  const main = await realpath(process.argv[1] ?? "");
  return unitText({
    network: home.network,
    program: [process.execPath, ...process.execArgv, main],
    base: home.base,
    root: home.root,
    pidFile: home.pidFile,
    path: [dirname(process.execPath), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"].join(":"),
    system: manager.system,
  });
}

/** Gives whether anything was changed. Throws `unit_taken` where the file is somebody else's. */
export async function place(service: Service, manager: Manager): Promise<boolean> {
  const text = await textOf(service, manager);
  const found = await readText(service.file);
  refuseOthers(service, found);
  if (found === text) return false;
  await makeDirectory(manager.directory, { mode: 0o755 });
  await writeWhole(service.file, text, { mode: 0o644 });
  return true;
}

/** Takes the unit away; what it ran is stopped first unless it is to go on. Gives whether there was one. */
export async function remove(service: Service, manager: Manager): Promise<boolean> {
  const found = await readText(service.file);
  if (found === undefined) return false;
  refuseOthers(service, found);
  await systemctl(manager, "disable", "--now", service.unit);
  await rm(service.file, { force: true });
  await systemctl(manager, "daemon-reload");
  return true;
}

function refuseOthers({ file, home, unit }: Service, found: string | undefined): void {
  const theirs =
    found === undefined
      ? undefined
      : (/^Environment="PERCH_HOME=((?:[^"\\]|\\.)*)"/m.exec(found)?.[1] ?? "another program");
  if (theirs !== undefined && theirs !== home.base.replaceAll("%", "%%"))
    throw fail("unit_taken", { file, unit, by: theirs });
}

export interface ServiceState {
  network: string;
  unit: string;
  file: string;
  installed: boolean;
  /** The file is what this perch would write. */
  current: boolean;
  enabled: boolean;
  /** As systemd says it: active, inactive, failed, activating … */
  active: string;
  pid: number | null;
}

export async function stateOf(service: Service, manager: Manager): Promise<ServiceState> {
  const { unit, file, home } = service;
  const base = { network: home.network, unit, file };
  if (!(await exists(file)))
    return { ...base, installed: false, current: false, enabled: false, active: "inactive", pid: null };
  const shown = await systemctl(manager, "show", unit, "--property", "ActiveState,MainPID");
  const property = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(shown)?.[1] ?? "";
  const pid = Number(property("MainPID"));
  const current = (await readFile(file, "utf8")) === (await textOf(service, manager));
  return {
    ...base,
    installed: true,
    current,
    enabled: await isEnabled(manager, unit),
    active: property("ActiveState"),
    pid: pid > 0 ? pid : null,
  };
}
