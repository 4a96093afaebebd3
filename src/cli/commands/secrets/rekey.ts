import { command } from "../../command.ts";

export const secretsRekey = command({
  name: "secrets rekey",
  summary: "Seal all secrets of the network with a new key; the old one is gone",
  details:
    "Values stay as they are, and nothing that runs is interrupted; digests in perch secrets list change. If it is interrupted, it is done or not done, and the next perch up completes it. Anyone who had the old key and perch.db can read the values: change those, too, with perch postgres users rotate and perch secrets set.",
  examples: ["perch secrets rekey", "perch secrets rekey --network staging --json"],
  needs: ["json", "daemon"],
  routes: ["rekey"],
  machineOnly: true,
  async run({ daemon }) {
    const { sealed, key } = await daemon.call("rekey", {});
    const text = [
      `${sealed} ${sealed === 1 ? "value is" : "values are"} sealed with a new key, in ${key}; the old one is gone`,
      "",
      "Back the new key up now, in another place than perch.db.",
      "A perch.db that was copied before opens with the key of its time only: keep the two, or destroy both.",
    ];
    return { json: { sealed, key }, text: text.join("\n") };
  },
});
