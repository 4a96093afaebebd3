/**
 * The logins of an attached role: the role itself, and roles beside it that work as it. A rotation gives the new
 * password to one that nobody uses, so that the one in use keeps its own for a while. Pure.
 */
const most = 9;

/**
 * In the order in which they are taken. `web`, `web.2`, `web.3` …: the user that `attach` makes for an app never has a
 * dot.
 */
export function loginsOf(user: string): string[] {
  const stem = cutTo(61, user);
  return [user, ...Array.from({ length: most - 1 }, (_, index) => `${stem}.${index + 2}`)];
}

/** Undefined when all are taken. */
export const freeLogin = (user: string, taken: ReadonlySet<string>): string | undefined =>
  loginsOf(user).find((login) => !taken.has(login));

/** PostgreSQL's names have 63 bytes at most. */
function cutTo(bytes: number, name: string): string {
  const letters = [...name];
  while (new TextEncoder().encode(letters.join("")).length > bytes) letters.pop();
  return letters.join("");
}
