import { managerOf, requireManager } from "../../../host/system/systemd.ts";
import { command } from "../../command.ts";
import { remove, servicesOf } from "../../systemd/service.ts";

export const systemdUninstall = command({
  name: "systemd uninstall",
  summary: "Stop Perch under systemd, and remove its units",
  details: "The data stays; perch up starts everything again, without systemd.",
  examples: ["perch systemd uninstall", "perch systemd uninstall --network blue"],
  needs: ["json"],
  machineOnly: true,
  async run({ home, allNetworks, terminal }) {
    const manager = managerOf();
    await requireManager(manager);
    const removed: string[] = [];
    for (const service of await servicesOf(home, allNetworks, manager)) {
      terminal.progress.say(`stopping ${service.unit}`);
      if (await remove(service, manager)) removed.push(service.unit);
    }
    return {
      json: { removed },
      text:
        removed.length === 0
          ? "No unit of Perch is installed"
          : `Removed ${removed.join(", ")}; the data stays in ${home.base}`,
    };
  },
});
