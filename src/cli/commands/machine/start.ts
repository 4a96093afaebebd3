import { command } from "../../command.ts";
import { machineOf, ofAppFlag } from "../../machine-of.ts";

export const machineStart = command({
  name: "machine start",
  summary: "Start a member that was stopped",
  args: { id: { summary: "The member" } },
  flags: { app: ofAppFlag },
  examples: ["perch machine start 4d8a1f0c2b9e35"],
  needs: ["json", "daemon"],
  routes: ["listMachines", "startMachine"],
  async run({ args, flags, daemon }) {
    if (flags.app !== undefined) await machineOf(daemon, args.id, flags.app);
    const machine = await daemon.call("startMachine", { params: { machine: args.id } });
    return { json: machine, text: `Machine ${machine.id} of ${machine.app} is ${machine.state}` };
  },
});
