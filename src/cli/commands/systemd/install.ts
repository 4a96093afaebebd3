import { userInfo } from "node:os";
import { isEnabled, lingers, managerOf, requireManager, systemctl } from "../../../host/system/systemd.ts";
import { command } from "../../command.ts";
import { place, servicesOf, stateOf } from "../../systemd/service.ts";

export const systemdInstall = command({
  name: "systemd install",
  summary: "Have systemd start Perch at boot, and keep it running",
  details:
    "Writes a hardened unit for each network, perch.service for the default one and perch-NAME.service for another, enables it and starts it. As root these are units of the system, as an ordinary user units of that user. systemctl restart then puts an installed version of Perch in the place of the one that runs, without a failed query; systemctl stop and the shutdown of the host stop PostgreSQL in order. It may be repeated: after a move of Perch, after perch network create.",
  flags: { "no-start": { type: "boolean", summary: "Enable it for the next boot, and start nothing now" } },
  examples: ["perch systemd install", "perch systemd install --no-start", "perch systemd install --network blue"],
  needs: ["json"],
  machineOnly: true,
  async run({ flags, home, allNetworks, terminal }) {
    const manager = managerOf();
    await requireManager(manager);
    const services = await servicesOf(home, allNetworks, manager);
    const changed = new Set<string>();
    for (const service of services) if (await place(service, manager)) changed.add(service.unit);
    if (changed.size > 0) await systemctl(manager, "daemon-reload");
    const lines: string[] = [];
    for (const { unit } of services) {
      if (!(await isEnabled(manager, unit))) await systemctl(manager, "enable", unit);
      if (!flags["no-start"]) {
        terminal.progress.say(`starting ${unit}`);
        await systemctl(manager, "start", unit);
      }
    }
    const states = await Promise.all(services.map((service) => stateOf(service, manager)));
    const atBoot = manager.system || (await lingers());
    for (const { unit, file, active } of states) {
      const when = atBoot ? "at boot" : "when you log in";
      lines.push(
        changed.has(unit)
          ? `${file} is written; ${unit} starts ${when} and is ${active}`
          : `${unit} is as it should be, and ${active}`,
      );
    }
    if (!atBoot)
      terminal.note(
        `It ends when you log out. To have it from boot on, whether you are there or not: loginctl enable-linger ${userInfo().username}`,
      );
    return { json: states, text: lines.join("\n") };
  },
});
