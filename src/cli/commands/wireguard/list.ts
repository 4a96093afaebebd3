import { command } from "../../command.ts";
import { size } from "../../../base/size.ts";
import { moment, table } from "../../output/columns.ts";

export const wireguardList = command({
  name: "wireguard list",
  summary: "List the peers that may join by WireGuard, and when each was heard",
  examples: ["perch wireguard list", "perch wireguard list --json"],
  needs: ["json", "daemon"],
  routes: ["listPeers"],
  async run({ daemon }) {
    const peers = await daemon.call("listPeers", {});
    const rows = peers.map(({ name, region, address, from, handshake, received, sent }) => [
      name,
      region ?? "-",
      address,
      from ?? "-",
      handshake === null ? "never" : moment(handshake),
      `${size(received)} in, ${size(sent)} out`,
    ]);
    const heads = ["Name", "Region", "Peer IP", "Heard from", "Handshake", "Traffic"];
    return { json: peers, text: table(heads, rows, "No peers yet. Create one with: perch wireguard create NAME FILE") };
  },
});
