import { encode } from "dns-packet";
import { describe, expect, it } from "vitest";
import { leadsInside } from "../../src/dns/rebinding.ts";

const answer = (type: "A" | "AAAA", data: string, more: object[] = []) =>
  encode({
    type: "response",
    id: 1,
    questions: [{ type, name: "evil.example" }],
    answers: [
      { type: "CNAME", name: "evil.example", data: "a.evil.example" },
      ...more,
      { type, name: "a.evil.example", ttl: 1, data },
    ] as never,
  });

describe("an answer from outside", () => {
  it.each(["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254"])("leads inside by the address %s", (data) => {
    expect(leadsInside(answer("A", data))).toBe(true);
    expect(leadsInside(answer("A", data, [{ type: "A", name: "a.evil.example", ttl: 1, data: "192.0.2.1" }]))).toBe(
      true,
    );
  });

  it.each([
    "fdaa:1:2:1::10",
    "fdaa::3",
    "::1",
    "::",
    "::7f00:1",
    "fe80::1",
    "febf::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.1.1",
  ])("leads inside by the address %s", (data) => expect(leadsInside(answer("AAAA", data))).toBe(true));

  it.each([
    ["A", "192.0.2.1"],
    ["A", "10.1.2.3"],
    ["A", "126.255.255.255"],
    ["AAAA", "2001:db8::1"],
    ["AAAA", "fdab::1"],
    ["AAAA", "fec0::1"],
    ["AAAA", "::ffff:192.0.2.1"],
  ] as const)("does not by %s %s", (type, data) => expect(leadsInside(answer(type, data))).toBe(false));

  it("leads inside by the hints of a record of HTTPS, and by what stands among the additional ones", () => {
    const https = (key: number, value: Buffer) => {
      const head = Buffer.from([0, 1, 0, 0, key, 0, value.length]);
      const data = Buffer.concat([head, value]);
      const fixed = Buffer.from([0xc0, 12, 0, 65, 0, 1, 0, 0, 0, 1, 0, data.length]);
      const message = encode({ type: "response", id: 1, questions: [{ type: "A", name: "evil.example" }] });
      message.writeUInt16BE(1, 6);
      return Buffer.concat([message, fixed, data]);
    };
    expect(leadsInside(https(4, Buffer.from([192, 0, 2, 1, 127, 0, 0, 1])))).toBe(true);
    expect(leadsInside(https(4, Buffer.from([192, 0, 2, 1])))).toBe(false);
    expect(leadsInside(https(6, Buffer.from([0xfd, 0xaa, 0, 1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16])))).toBe(true);
    const extra = encode({
      type: "response",
      id: 1,
      questions: [{ type: "SRV", name: "evil.example" }],
      additionals: [{ type: "A", name: "x.example", ttl: 1, data: "127.0.0.1" }],
    });
    expect(leadsInside(extra)).toBe(true);
  });

  it("is looked at as far as it can be read, whatever it is cut to", () => {
    const whole = answer("A", "127.0.0.1");
    for (let length = 0; length < whole.length; length++) expect(leadsInside(whole.subarray(0, length))).toBe(false);
    expect(leadsInside(Buffer.alloc(600, 0xff))).toBe(false);
  });
});
