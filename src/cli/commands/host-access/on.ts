import { command } from "../../command.ts";
import { hostAccessText } from "../../output/host-access-text.ts";

export const hostAccessOn = command({
  name: "host-access on",
  summary: "Let this host itself reach the network and its names",
  details:
    "Makes a pair of interfaces with a route for the network's /48, and tells systemd-resolved, where it runs, to ask inside for names that end in .internal. The host may reach what a WireGuard peer may: PostgreSQL, the pooler and the name server. Nothing inside can reach the host by it, and nothing else can pass through the host. It needs a perchd that runs as root, goes with perch down and comes back with perch up.",
  examples: ["perch host-access on"],
  needs: ["json", "daemon"],
  routes: ["setHostAccess"],
  async run({ daemon }) {
    const state = await daemon.call("setHostAccess", { body: { on: true } });
    return { json: state, text: hostAccessText(state) };
  },
});
