import { regions } from "../../../model/region.ts";
import { command } from "../../command.ts";
import { table } from "../../output/columns.ts";

export const platformRegions = command({
  name: "platform regions",
  summary: "List the regions",
  examples: ["perch platform regions", "perch platform regions --json"],
  needs: ["json"],
  run() {
    const rows = regions.map(({ name, code }) => [name, code]);
    return {
      json: regions.map(({ code, name, latitude, longitude }) => ({ code, name, latitude, longitude })),
      text: table(["Name", "Code"], rows, ""),
    };
  },
});
