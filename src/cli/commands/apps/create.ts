import { command } from "../../command.ts";

export const appsCreate = command({
  name: "apps create",
  summary: "Create an app",
  args: { app: { summary: "Its name: lower-case letters, digits and dashes" } },
  flags: { region: { type: "string", short: "r", value: "REGION", summary: "Its primary region" } },
  examples: ["perch apps create web", "perch apps create web --region ams"],
  needs: ["json", "daemon"],
  routes: ["createApp"],
  async run({ args, flags, daemon }) {
    const app = await daemon.call("createApp", {
      body: { name: args.app, ...(flags.region === undefined ? {} : { primaryRegion: flags.region }) },
    });
    return { json: app, text: `New app created: ${app.name}` };
  },
});
