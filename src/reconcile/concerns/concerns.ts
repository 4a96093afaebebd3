import type { AnyConcern } from "../../cluster/concern.ts";
import { attachmentConcern } from "./attachments/attachments.ts";
import { exposureConcern } from "./exposures/exposures.ts";
import { certificateConcern } from "./certificates/certificates.ts";
import { limitConcern } from "./limits/limits.ts";
import { loginConcern } from "./logins/logins.ts";
import { poolersConcern } from "./poolers/poolers.ts";
import { restartsConcern } from "./restarts/restarts.ts";

/** Everything a cluster has beside its members. A new one is a folder here and a line below. */
export const concerns: readonly AnyConcern[] = [
  attachmentConcern,
  certificateConcern,
  limitConcern,
  loginConcern,
  exposureConcern,
  poolersConcern,
  restartsConcern,
];
