import { expect, it } from "vitest";
import { strangerIn } from "../../../src/host/files/group-writers.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "ann:x:1000:1000::/home/ann:/bin/bash",
  "bob:x:1001:1001::/home/bob:/bin/bash",
  "eve:x:1002:100::/home/eve:/bin/bash",
].join("\n");
const group = ["root:x:0:bob", "ann:x:1000:", "bob:x:1001:ann,bob", "users:x:100:", "staff:x:50:", "team:x:60:ann"];
const accounts = { passwd, group: [...group, "ghosts:x:70:gone"].join("\n") };
const trusted = new Set([0, 1000]);

it.each([
  ["root's own", 0, undefined],
  ["a user's own, as most systems make for each", 1000, undefined],
  ["another user's own, with us in it", 1001, "bob"],
  ["the first group of another user, which names no member", 100, "eve"],
  ["one without a member, such as staff on Debian", 50, undefined],
  ["one of us alone", 60, undefined],
  ["one with a member that is no user of this host", 70, "gone"],
  ["one that this host does not list, as a directory service has", 4_242, "users that this host does not list"],
])("who else may write by a group: %s", (_, gid, stranger) => {
  expect(strangerIn(gid, trusted, accounts)).toBe(stranger);
});
