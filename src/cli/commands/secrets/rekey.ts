import { command } from "../../command.ts";

export const secretsRekey = command({
  name: "secrets rekey",
  summary: "Seal all secrets of the network with a new key; the old one is gone",
  details:
    "Values stay as they are, and nothing that runs notices; digests in perch secrets list are other ones afterwards. Interrupted in any way, it is done or not done, and the next perch up sees to that. Whoever had the old key and perch.db has read the values: change those, too, with perch postgres users rotate and perch secrets set.",
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
