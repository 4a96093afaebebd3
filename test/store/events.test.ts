import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { actingAs } from "../../src/base/actor.ts";
import type { EventRecord } from "../../src/model/records.ts";
import { type Events, openEvents } from "../../src/store/events.ts";
import type { StoreUnderTest } from "./contract.ts";
import { newStore } from "./open.ts";
import { recorder } from "./recorder.ts";

const ids = (events: EventRecord[]) => events.map((event) => event.id);
const count = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("events", () => {
  let under: StoreUnderTest;
  let events: Events;
  beforeEach(async () => {
    under = await newStore();
    events = await openEvents(under.store);
  });
  afterEach(() => under.end());

  const appendMany = (from: number, to: number) =>
    Promise.all(count(from, to).map((n) => events.append(n % 2 === 0 ? "even" : "odd", `sentence ${n}`)));

  it("are counted from 1 in the order of the calls, however many at once", async () => {
    const written = await appendMany(1, 250);
    expect(ids(written)).toEqual(count(1, 250));
    const listed = await events.list({ last: 1000 });
    expect(listed).toEqual(written);
    expect(listed[41]).toEqual({
      id: 42,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      subject: "even",
      sentence: "sentence 42",
      actor: "perch",
    });
  });

  it("name who asked, however many ask at once", async () => {
    const asked = (actor: string) => actingAs(actor, () => events.append("web", `for ${actor}`));
    await Promise.all([asked("token ci"), events.append("web", "for perch"), asked("uid 1000 (ann)")]);
    const listed = await events.list({ last: 3 });
    expect(listed.map(({ sentence, actor }) => sentence === `for ${actor}`)).toEqual([true, true, true]);
  });

  it("are listed newest last, as many as wanted, about one subject or all", async () => {
    await appendMany(1, 205);
    for (const last of [1, 5, 99, 100, 101, 205])
      expect(ids(await events.list({ last }))).toEqual(count(206 - last, 205));
    expect(await events.list({ last: 0 })).toEqual([]);
    expect(ids(await events.list({ last: 3, subject: "even" }))).toEqual([200, 202, 204]);
    expect(ids(await events.list({ last: 1000, subject: "odd" }))).toHaveLength(103);
    expect(await events.list({ last: 10, subject: "nobody" })).toEqual([]);
  });

  it("go on counting after a restart", async () => {
    await appendMany(1, 3);
    events = await openEvents(await under.reopen());
    expect(await events.append("network", "again")).toMatchObject({ id: 4 });
    expect(ids(await events.list({ last: 10 }))).toEqual([1, 2, 3, 4]);
  });

  it("keep their order between two writers to one store", async () => {
    const other = await openEvents(under.store);
    await Promise.all(count(1, 40).map((n) => (n % 2 === 0 ? events : other).append("network", `sentence ${n}`)));
    expect(ids(await events.list({ last: 100 }))).toEqual(count(1, 40));
    expect(await other.list({ last: 100 })).toEqual(await events.list({ last: 100 }));
  });

  it("carry no password", async () => {
    const { sentence } = await events.append("web", "could not reach postgres://web:hunter2@pg.internal:5432/web");
    expect(sentence).toBe("could not reach postgres://web:***@pg.internal:5432/web");
    expect(JSON.stringify(await under.store.range(""))).not.toContain("hunter2");
  });

  it("are followed from the listed ones on, without a gap or a double", async () => {
    await appendMany(1, 20);
    const heard = recorder<EventRecord>();
    const later = appendMany(21, 40);
    const stop = await events.follow({ last: 30 }, heard.record);
    await later;
    await appendMany(41, 60);
    const first = heard.seen[0]?.id ?? 0;
    expect(ids(await heard.until(61 - first))).toEqual(count(first, 60));
    stop();
    await appendMany(61, 70);
    expect(heard.seen).toHaveLength(61 - first);
  });

  it("are followed about one subject", async () => {
    await appendMany(1, 4);
    const heard = recorder<EventRecord>();
    await events.follow({ last: 1, subject: "even" }, heard.record);
    await appendMany(5, 8);
    expect(ids(await heard.until(3))).toEqual([4, 6, 8]);
  });

  it("are kept to the newest 10,000", { timeout: 60_000 }, async () => {
    await appendMany(1, 10_123);
    const kept = await events.list({ last: 20_000 });
    expect(ids(kept)).toEqual(count(124, 10_123));
    expect((await under.store.range("events/")).entries).toHaveLength(10_000);
  });
});
