import type { Rotated } from "../../api/schemas.ts";
import { moment } from "./columns.ts";

/** What a rotation means for what runs. Pure. */
export function rotatedText({ login, user, apps, former }: Rotated): string {
  const as = login === user ? [] : [`It logs in as ${login}, which works as ${user}`];
  const urls = apps.length === 0 ? [] : [`Its new URL is set as a secret of: ${apps.join(", ")}`];
  return [...as, ...urls, formerText(apps, former)].join("\n");
}

function formerText(apps: readonly string[], former: Rotated["former"]): string {
  if (former === null) return "The old password is worth nothing from now on; sessions that are open go on";
  const until = `${moment(former.until)} UTC`;
  if (!former.sooner) return `The old password, that of ${former.login}, works until ${until}`;
  return `The old password, that of ${former.login}, works until ${apps.join(", ")} has restarted, at most until ${until}`;
}
