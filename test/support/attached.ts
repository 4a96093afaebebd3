import { perchIn, succeeded } from "./perch.ts";
import { tempHome } from "./temporary.ts";

/**
 * A network with the cluster `pg` in ams and the app `web` attached to it; `perch` types commands there. It is stopped
 * when the test file ends.
 */
export async function attachedApp(): Promise<{ perch: ReturnType<typeof perchIn> }> {
  const perch = perchIn(tempHome());
  succeeded(await perch(["up"]));
  succeeded(await perch(["postgres", "create", "--name", "pg", "--region", "ams"]));
  succeeded(await perch(["apps", "create", "web"]));
  succeeded(await perch(["postgres", "attach", "pg", "--app", "web"]));
  return { perch };
}
