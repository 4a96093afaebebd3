import { managerOf, requireManager } from "../../../host/system/systemd.ts";
import { command } from "../../command.ts";
import { table } from "../../output/columns.ts";
import { servicesOf, stateOf } from "../../systemd/service.ts";

export const systemdStatus = command({
  name: "systemd status",
  summary: "Show the units of Perch and their state",
  examples: ["perch systemd status", "perch systemd status --json"],
  needs: ["json"],
  machineOnly: true,
  async run({ home, allNetworks }) {
    const manager = managerOf();
    await requireManager(manager);
    const states = await Promise.all(
      (await servicesOf(home, allNetworks, manager)).map((service) => stateOf(service, manager)),
    );
    const rows = states.map(({ network, unit, installed, current, enabled, active, pid }) => [
      network,
      unit,
      installed ? (current ? "yes" : "an older one") : "no",
      enabled ? "yes" : "no",
      active,
      String(pid ?? "-"),
    ]);
    const advice = states.some(({ installed, current }) => !installed || !current)
      ? "\nTo write what is missing or older: perch systemd install"
      : "";
    return {
      json: states,
      text: `${table(["Network", "Unit", "Installed", "At boot", "State", "Perchd"], rows, "").trimEnd()}${advice}`,
    };
  },
});
