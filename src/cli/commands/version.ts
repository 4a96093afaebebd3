import { perchVersion } from "../../host/system/version.ts";
import { command } from "../command.ts";

export const versionCommand = command({
  name: "version",
  summary: "Print the version",
  examples: ["perch version"],
  needs: ["json"],
  alone: true,
  run() {
    const version = perchVersion();
    return { text: `perch ${version}`, json: { version, node: process.versions.node } };
  },
});
