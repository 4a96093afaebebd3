import { command } from "../../command.ts";
import { hostAccessText } from "../../output/host-access-text.ts";

export const hostAccessOff = command({
  name: "host-access off",
  summary: "Disconnect this host from the network",
  details: "Takes the interfaces and the route away. Connections of the host into the network end.",
  examples: ["perch host-access off"],
  needs: ["json", "daemon"],
  routes: ["setHostAccess"],
  async run({ daemon }) {
    const state = await daemon.call("setHostAccess", { body: { on: false } });
    return { json: state, text: hostAccessText(state) };
  },
});
