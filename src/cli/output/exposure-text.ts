import type { Exposure } from "../../api/schemas.ts";
import { columns } from "./columns.ts";

/** A public door that was opened just now, and how a client comes in by it. Pure. */
export function exposureText(door: Exposure): string {
  const port = door.listen.slice(door.listen.lastIndexOf(":") + 1);
  const everywhere = /^(0\.0\.0\.0|\[[0:]+\]):/.test(door.listen) ? " (every address of this host)" : "";
  const own = door.certificate.from === "own";
  const root = own ? "&sslrootcert=perch-ca.pem" : "&sslrootcert=system";
  return [
    `${door.cluster} is open to ${door.allow.length === 0 ? "everyone" : door.allow.join(", ")}, over TLS only`,
    columns(
      [
        ["Name:", `${door.hostname}; point it at this host`],
        ["Listens at:", `${door.listen}${everywhere}`],
        ...(door.replicaListen === null ? [] : [["Replicas at:", door.replicaListen]]),
        [
          "Certificate:",
          `${own ? "of the network's own authority" : door.certificate.file}, until ${door.certificate.expires?.slice(0, 10) ?? "?"}`,
        ],
        ["Superusers:", door.allowSuperuser ? "may come, too" : "are refused"],
        ["URL:", `postgres://USER:PASSWORD@${door.hostname}:${port}/DATABASE?sslmode=verify-full${root}`],
      ],
      { indent: 2 },
    ),
    "",
    ...(own
      ? ["Clients verify it with the authority's certificate:   perch certs ca > perch-ca.pem"]
      : [
          "Every member serves this certificate now; renewed files are served within seconds. An app inside that says sslmode=verify-full",
          `verifies it as ${door.hostname} from now on.`,
        ]),
    `Shut it again:   perch postgres unexpose -a ${door.cluster}`,
  ].join("\n");
}
