import type { Answer } from "../../client/client.ts";
import { columns } from "./columns.ts";

/** Whether and where other hosts may call. Pure. */
export function remoteText(remote: Answer<"showRemote">): string {
  if (remote.listen === null) return "The API is open to this host alone";
  const rows: [string, string][] = [
    ["Listens on", `${remote.listen}${remote.open ? "" : ` (not yet: ${remote.note ?? "it is being opened"})`}`],
    ...remote.hostnames.map((name): [string, string] => ["Also named", name]),
    ["Authority", remote.fingerprint],
  ];
  return columns(rows, { indent: 0 });
}
