/**
 * Tests run Perch as an ordinary user, too, who cannot read a checkout in a directory that is shut to others, as /root
 * is. For root there is a way: the tests, and what they start, see the checkout at another place, by a bind mount in a
 * mount namespace of their own. Outside of it nothing changes.
 */
import { chmodSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Whether another user cannot come to it: a directory above it, or itself, is shut. */
function isShut(path) {
  const above = dirname(path);
  return (statSync(path).mode & 0o001) === 0 || (above !== path && isShut(above));
}

const enter = 'mount --bind "$0" "$1" && cd "$1" && shift && exec "$@"';

/** What to put before a program, and what is to be done at the end. */
export function readableFor(root) {
  if (process.getuid?.() !== 0 || !isShut(root)) return { lead: [], end: () => undefined };
  const seen = mkdtempSync(join(tmpdir(), "perch-checkout-"));
  chmodSync(seen, 0o755);
  const lead = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", enter, root, seen];
  // Never with what is in it: should the checkout be there, it stays.
  return { lead, end: () => rmdirSync(seen) };
}
