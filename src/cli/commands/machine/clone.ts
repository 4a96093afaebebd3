import { command } from "../../command.ts";
import { machineOf, ofAppFlag } from "../../machine-of.ts";

export const machineClone = command({
  name: "machine clone",
  summary: "Make a read replica: a member of the same cluster that streams from its leader",
  args: { id: { summary: "Any member of the cluster" } },
  flags: {
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "The replica's region (default the region of the machine)",
    },
    app: ofAppFlag,
  },
  examples: ["perch machine clone 4d8a1f0c2b9e35 --region lhr -a pg"],
  needs: ["json", "daemon"],
  routes: ["listMachines", "cloneMachine"],
  async run({ args, flags, daemon }) {
    if (flags.app !== undefined) await machineOf(daemon, args.id, flags.app);
    const machine = await daemon.call("cloneMachine", {
      params: { machine: args.id },
      body: flags.region === undefined ? {} : { region: flags.region },
    });
    return {
      json: machine,
      text: `Machine ${machine.id} streams from the leader of ${machine.app} in region ${machine.region}`,
    };
  },
});
