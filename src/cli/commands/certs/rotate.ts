import { counted } from "../../../base/count.ts";
import { command } from "../../command.ts";

export const certsRotate = command({
  name: "certs rotate",
  summary: "Replace the authority that signs the network's certificates, while all runs",
  details:
    "Every server gets a new certificate and reads it without a restart; open connections stay. Clients that verify with the root (perch certs ca) notice nothing. With --root the root is replaced, too: the old one vouches for the new one, so clients that trust the old one go on, and its key is destroyed. Give clients the new root before the next --root, which ends that.",
  flags: {
    root: { type: "boolean", summary: "Replace the root as well, as after a copy of perch.db and secret.key was lost" },
  },
  examples: ["perch certs rotate", "perch certs rotate --root"],
  needs: ["json", "daemon"],
  routes: ["rotateAuthority"],
  async run({ daemon, flags }) {
    const made = await daemon.call("rotateAuthority", { body: { root: flags.root } });
    const root = flags.root ? "\nGive clients that verify the new root: perch certs ca" : "";
    return {
      json: made,
      text: `Replaced; ${counted(made.members, "server")} ${made.members === 1 ? "has" : "have"} a new certificate.${root}`,
    };
  },
});
