import type { Answer } from "../../../../client/client.ts";
import { command } from "../../../command.ts";
import { moment, table } from "../../../output/columns.ts";

export const usersList = command({
  name: "postgres users list",
  summary: "List the users of a cluster",
  examples: ["perch postgres users list -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listUsers"],
  async run({ cluster, daemon }) {
    const users = await daemon.call("listUsers", { params: { cluster } });
    return { json: users, text: usersText(users, Date.now()) };
  },
});

/** A user with several logins (after a rotation) has a line for each. Pure. */
export function usersText(users: Answer<"listUsers">, now: number): string {
  const password = ({ until }: (typeof users)[number]): string =>
    until === null ? "" : Date.parse(until) > now ? `until ${moment(until)} UTC` : "ended";
  const rows = users.map((user) => [
    user.name,
    user.worksAs ?? user.name,
    user.superuser ? "yes" : "no",
    password(user),
    user.databases.join(", "),
  ]);
  return table(["Name", "Works as", "Superuser", "Password", "Databases"], rows, "No users");
}
