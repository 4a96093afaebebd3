import type { IncomingHttpHeaders } from "node:http";
import { callerHeader } from "../../api/route.ts";

/** Who calls by the socket, as the caller says it; a program other than perch is named by the socket alone. Pure. */
export function callerOf(headers: IncomingHttpHeaders): string {
  const said = headers[callerHeader];
  return typeof said === "string" && /^uid \d{1,10}[ -~]{0,110}$/.test(said) ? said : "the socket";
}
