import { command } from "../../command.ts";

export const certsCa = command({
  name: "certs ca",
  summary: "Print the certificate of the network's own authority, for sslmode=verify-full",
  examples: [
    "perch certs ca > perch-ca.pem",
    `perch run -a web --env PGSSLROOTCERT=perch-ca.pem --env PGSSLMODE=verify-full -- sh -c 'psql "$DATABASE_URL"'`,
  ],
  needs: ["json", "daemon"],
  routes: ["authority"],
  async run({ daemon }) {
    const authority = await daemon.call("authority", {});
    return { json: authority, text: authority.pem };
  },
});
