import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isRoot } from "../../../src/host/system/home.ts";
import { sharedWith } from "../../../src/host/system/users.ts";
import { missingTools } from "../../support/tools.ts";

const user = { name: "perch-postgres", uid: 995, gid: 993 };
const passwd =
  "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\nperch-postgres:x:995:993::/var/lib/perch-postgres:/bin/bash\n";
const group = "root:x:0:\nssl-cert:x:103:postgres\npostgres:x:104:\nperch-postgres:x:993:\n";

describe("the user of servers", () => {
  it("is nobody else's: no number, no group, no member of its group", () => {
    expect(sharedWith(user, passwd, group)).toBeUndefined();
  });

  it.each([
    ["is root by another name", { ...user, uid: 0 }, passwd, group, "its user is root's"],
    ["has root's group", { ...user, gid: 0 }, passwd, group, "its group is root's"],
    [
      "has the number of another",
      user,
      `${passwd}ann:x:995:1000::/home/ann:/bin/sh\n`,
      group,
      "the user ann has the same number, 995",
    ],
    [
      "has the group of another",
      user,
      `${passwd}ann:x:1000:993::/home/ann:/bin/sh\n`,
      group,
      "the user ann has the same group, 993",
    ],
    [
      "has a group that others are in",
      user,
      passwd,
      group.replace("perch-postgres:x:993:", "perch-postgres:x:993:perch-postgres,ann"),
      "the user ann is in its group",
    ],
  ])("is refused where it %s", (_, found, users, groups, why) => {
    expect(sharedWith(found, users, groups)).toBe(why);
  });

  it.skipIf(!isRoot() || missingTools("unshare"))(
    "is not there, and nothing waits for it, where /etc cannot be written",
    () => {
      const program = `import { ensureServerUser } from "./src/host/system/users.ts"; console.log(await ensureServerUser("perch-nobody-test"), (await ensureServerUser("root"))?.uid);`;
      const script = 'mount --bind /etc /etc && mount -o remount,ro,bind /etc && exec "$@"';
      const argv = [
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        "perch",
        process.execPath,
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
      ];
      expect(execFileSync("unshare", argv, { encoding: "utf8", timeout: 15_000 })).toBe("undefined 0\n");
    },
  );
});
