import { fail, toPerchError } from "../../errors/error.ts";
import { type Interactive, lookUpCommand } from "../../host/process/interactive.ts";
import { launch } from "../../host/process/launch.ts";
import type { Account } from "../../host/system/users.ts";
import type { Daemon } from "../command.ts";
import type { Config } from "../config-file.ts";
import { checkAccount, ownOf } from "./account.ts";
import { runEnvironment } from "./environment.ts";
import { publish, type Published, type Publishing } from "./publish.ts";

/** One command as a machine of an app: `perch run`, `perch shell` and the quickstart. */
export interface RunRequest {
  app: string | undefined;
  region: string | undefined;
  config: Config | undefined;
  given: Record<string, string>;
  command: readonly string[];
  /** As root: the user it runs as. */
  account?: Account | undefined;
  publishing?: Publishing;
  note?(text: string): void;
}

export interface RunningCommand extends Interactive {
  /** Forgets the machine. Never rejects: the daemon notices by itself that its holder is gone. */
  leave(): Promise<void>;
}

/**
 * Becomes a machine and starts the command in the network. Throws `command_not_found` and `command_not_executable`, and
 * leaves nothing then.
 */
export async function startCommand(daemon: Daemon, request: RunRequest): Promise<RunningCommand> {
  const [program] = request.command;
  if (program === undefined || program === "") throw fail("no_command", {});
  const region = request.region ?? request.config?.primaryRegion;
  const run = await daemon.call("createRun", {
    body: {
      pid: process.pid,
      ...(request.app === undefined ? {} : { app: request.app }),
      ...(region === undefined ? {} : { region }),
    },
  });
  let published: Published | undefined;
  const leave = async () => {
    await published?.close();
    if (run.machine !== null)
      // perchd sees the end of the run by its process, too.
      await daemon.call("endRun", { params: { machine: run.machine.id } }).catch(() => undefined);
  };
  try {
    if (run.note !== null) request.note?.(run.note);
    if (request.publishing !== undefined) published = await publish(daemon, run, request.publishing);
    if (request.account !== undefined) checkAccount(request.account, run);
    const env = runEnvironment({
      own: request.account === undefined ? process.env : ownOf(request.account),
      file: request.config?.env ?? {},
      filePrimaryRegion: request.config?.primaryRegion,
      defaults: run.defaults,
      daemon: run.env,
      given: request.given,
    });
    const found = await lookUpCommand(program, env["PATH"] ?? "", process.cwd());
    if (found === "missing") throw fail("command_not_found", { command: program });
    if (found === "not executable") throw fail("command_not_executable", { command: program });
    const { enter, barred } = run;
    const { command, account, note } = request;
    return {
      ...(await launch({ enter, barred, command, env, account, ...(note === undefined ? {} : { note }) })),
      leave,
    };
  } catch (error) {
    await leave();
    throw toPerchError(error);
  }
}

/** Runs the command to its end and gives its exit code. */
export async function runCommand(daemon: Daemon, request: RunRequest): Promise<number> {
  const running = await startCommand(daemon, request);
  const code = await running.ended;
  await running.leave();
  return code;
}
