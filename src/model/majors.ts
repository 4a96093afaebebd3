/**
 * The majors of PostgreSQL that Perch runs, newest first. A new one is added when its `pg_control`, its settings and
 * its catalogs were tried: Perch reads all three.
 */
export const supportedMajors: readonly number[] = [18, 17, 16, 15];

/** "15, 16, 17 or 18" */
export const majorsInWords: string = supportedMajors
  .toReversed()
  .join(", ")
  .replace(/, (\d+)$/, " or $1");
