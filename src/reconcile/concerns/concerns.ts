import type { AnyConcern } from "../../cluster/concern.ts";
import { attachmentConcern } from "./attachments/attachments.ts";
import { loginConcern } from "./logins/logins.ts";
import { poolersConcern } from "./poolers/poolers.ts";
import { restartsConcern } from "./restarts/restarts.ts";
import { superuserConcern } from "./superusers/superusers.ts";

/** Everything a cluster has beside its members. A new one is a folder here and a line below. */
export const concerns: readonly AnyConcern[] = [
  attachmentConcern,
  loginConcern,
  superuserConcern,
  poolersConcern,
  restartsConcern,
];
