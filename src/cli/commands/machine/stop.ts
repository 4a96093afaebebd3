import { command } from "../../command.ts";
import { machineOf, ofAppFlag } from "../../machine-of.ts";

export const machineStop = command({
  name: "machine stop",
  summary: "Stop a member; it stays stopped until it is started",
  args: { id: { summary: "The member" } },
  flags: { app: ofAppFlag },
  examples: ["perch machine stop 4d8a1f0c2b9e35"],
  needs: ["json", "daemon"],
  routes: ["listMachines", "stopMachine"],
  async run({ args, flags, daemon }) {
    if (flags.app !== undefined) await machineOf(daemon, args.id, flags.app);
    const machine = await daemon.call("stopMachine", { params: { machine: args.id } });
    return { json: machine, text: `Machine ${machine.id} of ${machine.app} is ${machine.state}` };
  },
});
