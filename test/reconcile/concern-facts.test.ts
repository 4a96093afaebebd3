import { expect, it } from "vitest";
import { fail } from "../../src/errors/error.ts";
import { ofConcerns } from "../../src/reconcile/concern-facts.ts";
import { newNotices } from "../../src/reconcile/notices.ts";
import { plan } from "../../src/reconcile/plan.ts";
import { cluster, leading, member } from "./world.ts";

const log = { error: () => undefined } as unknown as Parameters<typeof ofConcerns>[0]["log"];
const due = (concern: string) => ({
  name: concern,
  plan: () => [{ step: { do: "concern" as const, concern, what: "make", thing: "web" }, because: `make ${concern}` }],
});

it("a concern that cannot be looked at keeps no other from being looked at", async () => {
  const { found, unseen } = await ofConcerns({ log }, [{ name: "pooler" }, { name: "login" }], async ({ name }) => {
    if (name === "pooler") throw fail("file_strange", { path: "/pool", why: "it is a link" });
    return { of: name };
  });
  expect([...found]).toEqual([["login", { of: "login" }]]);
  expect([...unseen.keys()]).toEqual(["pooler"]);
  expect(unseen.get("pooler")).toContain("it is a link");
});

it("nothing is planned for a concern that was not seen, and for the others as ever", () => {
  const unseen = new Map([["pooler", "it is a link"]]);
  const view = cluster([member("a1", leading)], { unseen });
  const steps = plan(view, [due("pooler"), due("login")]).steps.filter((step) => step.do === "concern");
  expect(steps.map(({ concern }) => concern)).toEqual(["login"]);
});

it("a cluster that is being destroyed waits with its members for a concern that may have something to end", () => {
  const members = [member("a1", leading)];
  const unseen = new Map([["pooler", "it is a link"]]);
  expect(plan(cluster(members, { phase: "destroying", unseen }), [due("pooler")]).steps).toEqual([]);
  expect(plan(cluster(members, { phase: "destroying" }), [due("pooler")]).steps).toMatchObject([{ do: "stop" }]);
});

it("what cannot be looked at is said once when it begins, however its numbers change, and once when it is over", () => {
  const said = new Map<string, string>();
  const at = (why?: string) =>
    newNotices(
      cluster(
        [member("a1", leading)],
        why === undefined ? { found: new Map([["pooler", {}]]) } : { unseen: new Map([["pooler", why]]) },
      ),
      said,
    );
  expect(at("pid 7 is strange")).toEqual([
    "what is there of poolers cannot be looked at, and stays as it is: pid 7 is strange",
  ]);
  expect(at("pid 8 is strange")).toEqual([]);
  expect(at()).toEqual(["what is there of poolers can be looked at again"]);
  expect(at()).toEqual([]);
});
