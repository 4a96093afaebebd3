/**
 * Settings by which PostgreSQL's own user runs a program or code from a file of somebody's choice. The owner of the
 * machine may have them. A token may not where PostgreSQL runs as perchd's own user. Pure.
 */
export function runsProgram(name: string, value: string): boolean {
  const one = name.toLowerCase();
  if (commands.has(one)) return true;
  // Without a path a library is one of those that PostgreSQL was installed with.
  if (libraries.has(one)) return /[/\\]/.test(value);
  // Of what extensions read, by how they call it: plperl.on_init, basebackup_to_shell.command.
  return (
    one.includes(".") && /command|program|script|librar|path|(^|[._])on_\w*init$/.test(one.slice(one.indexOf(".")))
  );
}

const commands: ReadonlySet<string> = new Set([
  "archive_command",
  "archive_library",
  "archive_cleanup_command",
  "recovery_end_command",
  "restore_command",
  // Where a library without a path is looked for.
  "dynamic_library_path",
  "extension_control_path",
]);
const libraries: ReadonlySet<string> = new Set([
  "shared_preload_libraries",
  "session_preload_libraries",
  "local_preload_libraries",
  "jit_provider",
  "oauth_validator_libraries",
]);
