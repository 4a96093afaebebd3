import { describe, expect, it } from "vitest";
import { attachmentUrl, leadsTo, portableUrl } from "../../src/model/attachment-url.ts";
import { attachment as attachmentView } from "../reconcile/world.ts";

const { record: attachment } = attachmentView("ready");

describe("attachmentUrl", () => {
  it("leads to the cluster by its name, as the login of the moment, with every part encoded", () => {
    expect(attachmentUrl(attachment, "p@ss/")).toBe("postgres://web:p%40ss%2F@pg.internal:5432/web");
    expect(attachmentUrl({ ...attachment, scheme: "postgresql", pooled: true }, "x", "web.2")).toBe(
      "postgresql://web.2:x@pg.internal:6432/web",
    );
  });
  it("is known again, and another login's, cluster's or a value by hand is not", () => {
    expect(leadsTo(attachmentUrl(attachment, "x"), attachment)).toBe(true);
    expect(leadsTo(attachmentUrl(attachment, "x", "web.2"), { ...attachment, login: "web.2" })).toBe(true);
    const others = [
      attachmentUrl(attachment, "x", "web.2"),
      attachmentUrl({ ...attachment, cluster: "pg2" }, "x"),
      "by hand",
    ];
    expect(others.map((value) => leadsTo(value, attachment))).toEqual([false, false, false]);
  });
});

describe("portableUrl", () => {
  it("leads an attachment's own URL to the relay on localhost", () => {
    expect(portableUrl("postgres://web:x@pg.internal:5432/web", attachment, 40123)).toBe(
      "postgres://web:x@127.0.0.1:40123/web",
    );
  });
  it.each([
    ["postgres://web:x@elsewhere.example:5432/web"],
    ["postgresql://web:x@pg.internal:5432/web"],
    ["plain text"],
  ])("leaves alone what was set over it: %s", (value) => {
    expect(portableUrl(value, attachment, 40123)).toBe(value);
  });
});
