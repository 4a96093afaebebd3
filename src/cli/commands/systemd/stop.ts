import { leaveHome } from "../../../host/process/leave.ts";
import { jobOf, managerOf } from "../../../host/system/systemd.ts";
import { command } from "../../command.ts";
import { stopNetwork } from "../../networks/stop.ts";

export const systemdStop = command({
  name: "systemd stop",
  summary: "What the unit does when it is stopped; not for typing",
  details:
    "systemd runs it for systemctl stop, for systemctl restart and when the host is shut down. In a restart it ends perchd alone, and the perchd that is started next adopts what runs: no query fails. Else it is perch down for the network. Where perchd ended by itself, because somebody typed perch down, there is nothing to do.",
  flags: { unit: { type: "string", value: "UNIT", summary: "The unit that is being stopped" } },
  examples: ["perch systemd stop --network default --unit perch.service"],
  machineOnly: true,
  async run({ flags, home, terminal, signal }) {
    const job = await jobOf(managerOf(), flags.unit ?? "").catch((error: unknown) => {
      terminal.note(
        `it cannot be asked what this stop is for, so everything is stopped: ${error instanceof Error ? error.message : String(error)}`,
      );
      return "stop";
    });
    if (job === "restart") {
      await leaveHome(home);
      return { text: "perchd has ended; what it looked after goes on" };
    }
    if (job === undefined) return { text: "perchd ended by itself" };
    return {
      text: (await stopNetwork(home, terminal, signal)) ? "Perch is down; the data stays" : "Perch was not running",
    };
  },
});
