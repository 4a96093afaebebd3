import { managerOf } from "../../../host/system/systemd.ts";
import { command } from "../../command.ts";
import { servicesOf, textOf } from "../../systemd/service.ts";

export const systemdPrint = command({
  name: "systemd print",
  summary: "Print the unit that perch systemd install would write",
  details:
    "For those who place it themselves: an image of a machine, a configuration manager. Without --network it is that of the default network.",
  examples: [
    "perch systemd print",
    "perch systemd print > /etc/systemd/system/perch.service",
    "perch systemd print --network blue",
  ],
  needs: ["json"],
  machineOnly: true,
  async run({ home }) {
    const manager = managerOf();
    const [service] = await servicesOf(home, false, manager);
    if (service === undefined) return undefined;
    const text = await textOf(service, manager);
    return { json: { unit: service.unit, file: service.file, text }, text };
  },
});
