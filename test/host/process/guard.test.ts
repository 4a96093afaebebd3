import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { startGuard } from "../../../src/host/process/guard.ts";
import { runToEnd } from "../../support/perch.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const script = 'said=$(head -c 1); echo "said:$said" > "$0.part" && mv "$0.part" "$0"';
const written = (path: string) =>
  ask(() => (existsSync(path) ? readFileSync(path, "utf8") : undefined), { everyMs: 10, withinMs: 10_000 });

describe("a guard", () => {
  it("is told that it is not needed", async () => {
    const path = join(temporaryDirectory(), "heard");
    const done = await startGuard(["sh", "-c", script, path]);
    done();
    expect(await written(path)).toBe("said:.\n");
  });

  it("outlives who started it, and hears of its end", async () => {
    const path = join(temporaryDirectory(), "heard");
    const module = join(import.meta.dirname, "../../../src/host/process/guard.ts");
    const program = `import { startGuard } from ${JSON.stringify(module)};
await startGuard(${JSON.stringify(["sh", "-c", script, path])});
process.kill(process.pid, "SIGKILL");`;
    await runToEnd([process.execPath, "--import", "tsx", "--input-type=module", "-e", program]);
    expect(await written(path)).toBe("said:\n");
  });

  it("that cannot be started is an error", async () => {
    await expect(startGuard(["/no/such/program"])).rejects.toThrow("ENOENT");
  });
});
