import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openLog } from "../../../src/base/log.ts";
import { routes } from "../../../src/api/routes.ts";
import type { TokenRecord } from "../../../src/model/records.ts";
import { type Guard, guardLimits, hashOf, openGuard } from "../../../src/server/remote/guard.ts";
import { state as stateOf, type State } from "../../../src/store/records.ts";
import { newStore } from "../../store/open.ts";

/** A guard over a real store, with a clock that is set by hand. */
const stores: { end(): Promise<void> }[] = [];
const guards: Guard[] = [];
const lines: string[] = [];
let clock = Date.parse("2026-11-24T12:00:00.000Z");
let state: State;
let guard: Guard;
const said: string[] = [];

const text = `perch_${"s".repeat(43)}.${"f".repeat(43)}`;
const record: TokenRecord = { name: "ci", scope: "deploy", hash: hashOf(text), createdAt: "2026-11-24T11:00:00.000Z" };
const admit = (token: string, address = "203.0.113.7") => guard.admit(`Bearer ${token}`, address);

beforeEach(async () => {
  const under = await newStore();
  stores.push(under);
  state = stateOf(under.store);
  await state.tokens.create(record);
  guard = await openGuard({
    state,
    log: openLog({ write: (line: string) => void lines.push(line) }),
    say: (sentence) => said.push(sentence),
    oneUser: false,
    now: () => clock,
  });
  guards.push(guard);
});

afterAll(async () => {
  for (const one of guards) one.close();
  for (const one of stores) await one.end();
});

describe("a guard", () => {
  it("lets in who has a token, and knows what it may", () => {
    const admission = admit(text);
    expect(() => admission.permit(routes.setSecrets)).not.toThrow();
    expect(() => admission.permit(routes.createApp)).toThrow("has the scope deploy");
    expect(() => admission.permit(routes.createRun)).toThrow("works on the host itself");
    admission.release();
  });

  it.each<[string, string | undefined, string]>([
    ["no header", undefined, "token_missing"],
    ["another kind of header", "Basic dXNlcjpwYXNz", "token_missing"],
    ["an empty token", "Bearer ", "token_missing"],
    ["a wrong one", `Bearer ${text}x`, "token_invalid"],
    ["the beginning of a right one", `Bearer ${text.slice(0, -1)}`, "token_invalid"],
    ["the hash itself", `Bearer ${record.hash}`, "token_invalid"],
  ])("refuses %s", (_what, header, code) => {
    expect(() => guard.admit(header, "203.0.113.8")).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("notes the last use, to the minute", async () => {
    admit(text).release();
    await expect.poll(async () => (await state.tokens.get(record))?.lastUsedAt).toBe(new Date(clock).toISOString());
    clock += 59_000;
    admit(text).release();
    clock += 1_000;
    admit(text).release();
    await expect.poll(async () => (await state.tokens.get(record))?.lastUsedAt).toBe(new Date(clock).toISOString());
  });

  it("refuses a token from the moment of its end, and ends what is under way", async () => {
    const soon = { ...record, name: "soon", hash: hashOf(`${text}y`), expiresAt: new Date(clock + 500).toISOString() };
    await state.tokens.create(soon);
    await expect.poll(() => admit(`${text}y`).cut.aborted).toBe(false);
    const admission = admit(`${text}y`);
    expect(admission.cut.aborted).toBe(false);
    await expect.poll(() => admission.cut.aborted).toBe(true);
    expect(admission.cut.reason).toMatchObject({ code: "token_expired" });
    clock += 500;
    expect(() => admit(`${text}y`)).toThrow(expect.objectContaining({ code: "token_expired" }) as Error);
  });

  it("ends what is under way when the token is revoked, and takes no other token of that name for it", async () => {
    const [one, other] = [admit(text), admit(text)];
    other.release();
    await state.tokens.remove(record);
    await expect.poll(() => one.cut.aborted).toBe(true);
    expect(one.cut.reason).toMatchObject({ code: "token_revoked" });
    expect(other.cut.aborted).toBe(false);
    await state.tokens.create({ ...record, hash: hashOf("new") });
    expect(() => admit(text)).toThrow(expect.objectContaining({ code: "token_invalid" }) as Error);
  });

  it("shuts out a source that guesses, its right tokens too, and nobody else", () => {
    const guesser = "198.51.100.9";
    for (let count = 0; count < guardLimits.failures; count++)
      expect(() => admit(`guess-${count}`, guesser)).toThrow(
        expect.objectContaining({ code: "token_invalid" }) as Error,
      );
    expect(() => admit(text, guesser)).toThrow(expect.objectContaining({ code: "too_many_requests" }) as Error);
    expect(() => admit(text, `::ffff:${guesser}`)).toThrow(
      expect.objectContaining({ code: "too_many_requests" }) as Error,
    );
    expect(said.at(-1)).toBe("198.51.100.9 gave 10 wrong tokens within a minute and is shut out for 60 s");
    admit(text, "198.51.100.10").release();
    expect(lines.join("")).not.toContain("guess-");
  });

  it("counts the /64 of an IPv6 address as one source", () => {
    for (let count = 0; count < guardLimits.failures; count++)
      expect(() => admit("guess", `2001:db8:1:2::${count + 1}`)).toThrow("is not valid");
    expect(() => admit(text, "2001:db8:1:2:ffff::1")).toThrow(
      expect.objectContaining({ code: "too_many_requests" }) as Error,
    );
    admit(text, "2001:db8:1:3::1").release();
  });

  it("does not count requests that merely have no token", () => {
    for (let count = 0; count < guardLimits.failures * 2; count++)
      expect(() => guard.admit(undefined, "198.51.100.20")).toThrow("has no token");
    admit(text, "198.51.100.20").release();
  });
});
