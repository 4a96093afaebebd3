import { command, yesFlag } from "../../command.ts";
import { machineOf, ofAppFlag } from "../../machine-of.ts";

export const machineDestroy = command({
  name: "machine destroy",
  summary: "Destroy a replica, with its slot and its data",
  args: { id: { summary: "The replica" } },
  flags: { app: ofAppFlag, yes: yesFlag },
  examples: ["perch machine destroy 4d8a1f0c2b9e35 --yes"],
  needs: ["json", "daemon"],
  routes: ["listMachines", "destroyMachine"],
  async run({ args, flags, daemon, terminal }) {
    const { id, app, region, role } = await machineOf(daemon, args.id, flags.app);
    const question = `Destroy machine ${id}, the ${role ?? "run"} of ${app} in ${region}?`;
    if (!(await terminal.consent({ yes: flags.yes, question, what: `Destroying machine ${id}` }))) return undefined;
    await daemon.call("destroyMachine", { params: { machine: id } });
    return { json: { id }, text: `Destroyed machine ${id}` };
  },
});
