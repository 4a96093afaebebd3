import { command } from "../command.ts";
import { accountNamed } from "../run/account.ts";
import { envPairs } from "../run/environment.ts";
import { appAndConfig, publishingOf, runFlags } from "../run/request.ts";
import { runCommand } from "../run/run-command.ts";

export const shellCommand = command({
  name: "shell",
  summary: "Open a shell inside the private network, with an app's secrets",
  details: "The same as perch run with your own shell ($SHELL, else sh) as the command.",
  flags: {
    ...runFlags,
    command: { type: "string", short: "C", value: "LINE", summary: "Run this line in it and end" },
  },
  examples: ["perch shell -a web", "perch shell --region lhr", `perch ssh console -a web -C 'psql "$DATABASE_URL"'`],
  needs: ["daemon"],
  routes: ["createRun", "proxy", "endRun"],
  ownsTerminal: true,
  machineOnly: true,
  async run({ flags, daemon, terminal: { note } }) {
    const given = envPairs(flags.env);
    const { app, config } = await appAndConfig(flags);
    const account = await accountNamed(flags.user);
    const shell = account?.shell ?? process.env["SHELL"] ?? "";
    return {
      exit: await runCommand(daemon, {
        app,
        config,
        region: flags.region,
        given,
        account,
        command: [shell === "" ? "sh" : shell, ...(flags.command === undefined ? [] : ["-c", flags.command])],
        publishing: publishingOf(flags, note),
        note,
      }),
    };
  },
});
