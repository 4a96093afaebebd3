import { command } from "../../command.ts";
import { table } from "../../output/columns.ts";

export const postgresExposures = command({
  name: "postgres exposures",
  summary: "List the public doors: where they listen, who is connected, and who is blocked",
  examples: ["perch postgres exposures", "perch postgres exposures --json"],
  needs: ["json", "daemon"],
  routes: ["listExposures"],
  async run({ daemon }) {
    const exposures = await daemon.call("listExposures", {});
    const rows = exposures.map((door) => [
      door.cluster,
      door.hostname,
      [door.listen, door.replicaListen ?? ""].join(" ").trim(),
      door.allow.join(" ") || "everyone",
      `${door.certificate.from}, to ${door.certificate.expires?.slice(0, 10) ?? "?"}`,
      String(door.connections),
      String(door.refused),
      door.shut.map(({ source }) => source).join(" ") || "nobody",
      door.state === "open" ? "open" : `closed: ${door.why ?? ""}`,
    ]);
    const heads = ["Cluster", "Name", "Listens at", "Allowed", "Certificate", "Open", "Refused", "Shut out", "State"];
    const notes = exposures.flatMap(({ certificate }) => (certificate.note === null ? [] : [`\n${certificate.note}`]));
    return { json: exposures, text: `${table(heads, rows, "No cluster has a public door.")}${notes.join("")}` };
  },
});
