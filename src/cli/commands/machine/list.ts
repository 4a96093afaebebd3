import { command } from "../../command.ts";
import { moment, table } from "../../output/columns.ts";

export const machineList = command({
  name: "machine list",
  summary: "List machines: members of clusters, and running commands",
  flags: { app: { type: "string", short: "a", value: "APP", summary: "Only those of this app or cluster" } },
  examples: ["perch machine list", "perch machine list -a pg --json"],
  needs: ["json", "daemon"],
  routes: ["listMachines"],
  async run({ daemon, flags }) {
    const machines = await daemon.call("listMachines", { query: flags.app === undefined ? {} : { app: flags.app } });
    const rows = machines.map(({ id, app, region, kind, role, state, address, createdAt }) => [
      id,
      app,
      region,
      role ?? kind,
      state,
      address,
      moment(createdAt),
    ]);
    return {
      json: machines,
      text: table(["ID", "App", "Region", "Role", "State", "Address", "Created"], rows, "No machines"),
    };
  },
});
