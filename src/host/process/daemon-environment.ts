/** What perchd, and what it starts, sees of the environment of whoever typed `perch up`. Pure. */

const passed: readonly RegExp[] = [
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|XDG_RUNTIME_DIR)$/, // where programs and files are
  /^(LANG|LANGUAGE|LC_\w+|TZ)$/, // how text and time are written
  /^(LD_LIBRARY_PATH|LD_PRELOAD|FAKETIME\w*)$/, // what the dynamic linker is told, and the library that sets clocks
  /^(NODE_OPTIONS|NODE_V8_COVERAGE|NODE_EXTRA_CA_CERTS|PERCH_LOG)$/,
];

/**
 * A shell holds passwords, keys of clouds, PERCH_TOKEN: a process that runs for months, and those it starts as other
 * users, have no business with them. Nor shall PGHOST and its kin change what perchd's own sessions mean.
 */
export const daemonEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => passed.some((pattern) => pattern.test(name))));
