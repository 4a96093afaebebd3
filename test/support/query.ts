import type { Ended, perchIn } from "./perch.ts";

/** SQL as an app would ask it: psql inside `perch run`, with the URL that a secret of the app holds. */
export const queryAs = (
  perch: ReturnType<typeof perchIn>,
  app: string,
  sql: string,
  { variable = "DATABASE_URL", where = [] }: { variable?: string; where?: string[] } = {},
): Promise<Ended> =>
  perch([
    "run",
    "-a",
    app,
    ...where,
    "--",
    "sh",
    "-c",
    `exec psql "$${variable}" -XqAt -v ON_ERROR_STOP=1 -c "$1"`,
    "sh",
    sql,
  ]);
