import type { Home } from "../../host/system/home.ts";

/** Does the same to each network, and goes on where one fails; the first error is thrown at the end. */
export async function each(homes: readonly Home[], deed: (home: Home) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const home of homes) await deed(home).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
