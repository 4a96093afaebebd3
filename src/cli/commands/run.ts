import { fail, isCode } from "../../errors/error.ts";
import { command, type Daemon } from "../command.ts";
import { accountNamed } from "../run/account.ts";
import { envPairs } from "../run/environment.ts";
import { appAndConfig, publishingOf, runFlags } from "../run/request.ts";
import { runCommand, type RunRequest } from "../run/run-command.ts";
import { watchCommand } from "../run/watch.ts";
import { missedSecrets, orIsApp } from "../run/without-app.ts";

export const runVerb = command({
  name: "run",
  summary: "Run a command inside the private network, with an app's secrets",
  details:
    "The command becomes a machine of the app: it resolves .internal names, sees FLY_REGION, FLY_APP_NAME, FLY_PRIVATE_IP, FLY_MACHINE_ID and PRIMARY_REGION (and the same as PERCH_*), the [env] of perch.toml or fly.toml, and the app's secrets, which win over [env]. It has the terminal, gets signals, and its exit code is that of perch: 126 when it cannot be run, 127 when it does not exist, 128 + n when signal n ended it. With neither -a nor a file it runs in the network without secrets. Where pasta is installed (package passt) it reaches the Internet, too. It is not reachable from outside of the network, except by published ports. It cannot see Perch's own files and sockets, gains no rights by the programs it starts, and, called by root, has few of root's rights; --user takes the rest.",
  args: {
    command: {
      summary: "The command and its arguments; everything after its name is its own",
      optional: true,
      many: true,
    },
  },
  flags: {
    ...runFlags,
    watch: { type: "boolean", summary: "Restart the command when the app's secrets change, as a deploy would" },
  },
  examples: [
    "perch run -a web -- npm start",
    `perch run -a web --region lhr -- sh -c 'psql "$DATABASE_URL"'`,
    "perch run -a web --publish 3000 -- npm start",
    "perch run -a web --user web -- npm start",
    "perch run --env LOG_LEVEL=debug node server.js --port 3000",
  ],
  needs: ["daemon"],
  routes: ["createRun", "proxy", "endRun", "watchSecrets", "listSecrets", "listApps"],
  passThrough: true,
  ownsTerminal: true,
  machineOnly: true,
  async run({ args, flags, daemon, terminal }) {
    if (args.command.length === 0) throw fail("no_command", {});
    const given = envPairs(flags.env);
    const { app, config } = await appAndConfig(flags);
    const { note } = terminal;
    const account = await accountNamed(flags.user);
    const request = {
      app,
      config,
      region: flags.region,
      given,
      account,
      command: args.command,
      publishing: publishingOf(flags, note),
      note,
    };
    if (!flags.watch) return { exit: await runOnce(daemon, request) };
    if (app === undefined) throw fail("no_app", {});
    return { exit: await watchCommand(daemon, { ...request, app }, terminal.note) };
  },
});

async function runOnce(daemon: Daemon, request: RunRequest): Promise<number> {
  const apps = async () =>
    (await daemon.call("listApps", {})).flatMap(({ name, kind }) => (kind === "app" ? [name] : []));
  const exit = await runCommand(daemon, request).catch(async (error: unknown) => {
    throw isCode(error, "command_not_found") ? orIsApp(error, request.command, await apps()) : error;
  });
  const missed =
    // A hint is given where it can be; the command's own end is what counts.
    exit === 0 || request.app !== undefined ? undefined : missedSecrets(exit, await apps().catch(() => []));
  if (missed !== undefined) request.note?.(missed);
  return exit;
}
