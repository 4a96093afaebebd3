import { command } from "../../command.ts";
import { remoteText } from "../../output/remote-text.ts";

export const remoteStatus = command({
  name: "remote status",
  summary: "Show whether and where other hosts may call the API",
  examples: ["perch remote status", "perch remote status --json"],
  needs: ["json", "daemon"],
  routes: ["showRemote"],
  async run({ daemon }) {
    const remote = await daemon.call("showRemote", {});
    return { json: remote, text: remoteText(remote) };
  },
});
