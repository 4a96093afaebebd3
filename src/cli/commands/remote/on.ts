import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { remoteText } from "../../output/remote-text.ts";

export const remoteOn = command({
  name: "remote on",
  summary: "Let other hosts call the API, by TLS and a token",
  details:
    "It listens where --listen says and nowhere else, until perch remote off; a restart keeps it. perch on the other host needs a token (perch tokens create) and perch login, and finds the right server by the token alone; other clients need the authority's certificate (perch certs ca) and a name or an address that --hostname gave.",
  flags: {
    listen: {
      type: "string",
      value: "ADDRESS:PORT",
      summary: "Where on this host; 0.0.0.0 is every address it has",
    },
    hostname: { type: "strings", value: "NAME", summary: "A name or an address for the certificate" },
  },
  examples: [
    "perch remote on --listen 203.0.113.7:6643",
    "perch remote on --listen 0.0.0.0:6643 --hostname db.example.com",
  ],
  needs: ["json", "daemon"],
  routes: ["openRemote"],
  async run({ flags, daemon }) {
    const { listen, hostname } = flags;
    if (listen === undefined)
      throw fail("usage_invalid", { reason: "perch remote on: --listen is missing; nothing is opened by default" });
    const remote = await daemon.call("openRemote", { body: { listen, hostnames: hostname } });
    return { json: remote, text: `${remoteText(remote)}\nMake a token with: perch tokens create NAME` };
  },
});
