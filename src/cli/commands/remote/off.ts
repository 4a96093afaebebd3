import { command } from "../../command.ts";
import { remoteText } from "../../output/remote-text.ts";

export const remoteOff = command({
  name: "remote off",
  summary: "Let no other host call the API; tokens stay",
  examples: ["perch remote off"],
  needs: ["json", "daemon"],
  routes: ["closeRemote"],
  async run({ daemon }) {
    const remote = await daemon.call("closeRemote", {});
    return { json: remote, text: remoteText(remote) };
  },
});
