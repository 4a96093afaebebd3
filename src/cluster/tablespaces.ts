import type { Home } from "../host/system/home.ts";
import { layout } from "../postgres/instance/directory.ts";
import { tablespacesOutside } from "../postgres/instance/tablespaces.ts";

/** Numbers of a member's tablespaces outside of its data directory: no replica may run beside them on this host. */
export const tablespacesOf = (home: Home, machine: string): Promise<string[]> =>
  tablespacesOutside(layout(home, machine));
