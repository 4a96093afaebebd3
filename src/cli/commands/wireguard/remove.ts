import { command } from "../../command.ts";

export const wireguardRemove = command({
  name: "wireguard remove",
  summary: "Remove a peer; its sessions end at once",
  args: { name: { summary: "The peer" } },
  examples: ["perch wireguard remove laptop"],
  needs: ["json", "daemon"],
  routes: ["removePeer"],
  async run({ args, daemon }) {
    const done = await daemon.call("removePeer", { params: { peer: args.name } });
    return { json: done, text: `Peer ${args.name} is removed` };
  },
});
