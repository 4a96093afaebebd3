import { command } from "../../command.ts";
import { hostAccessText } from "../../output/host-access-text.ts";

export const hostAccessStatus = command({
  name: "host-access status",
  summary: "Show whether this host may reach the network, and by which address",
  examples: ["perch host-access status"],
  needs: ["json", "daemon"],
  routes: ["hostAccess"],
  async run({ daemon }) {
    const state = await daemon.call("hostAccess", {});
    return { json: state, text: hostAccessText(state) };
  },
});
