/**
 * argv that runs a program which leaves no core when it dies, nor does anything it starts: a core holds what the
 * process held, passwords and rows. A limit of one byte is Linux's word for "not even through a pipe to a crash
 * reporter", which a limit of 0 does not stop; elsewhere it is 0. The hard limit is the same, so that only root gives
 * it back. The process keeps its pid. Pure.
 */
export const withoutCores = (argv: readonly string[]): string[] => ["/bin/sh", "-c", script, "perch", ...argv];

const script = 'prlimit --pid $$ --core=1:1 2>/dev/null || ulimit -c 0; exec "$@"';
