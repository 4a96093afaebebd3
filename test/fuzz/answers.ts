import assert from "node:assert/strict";
import { type ErrorCode, register } from "../../src/errors/register.ts";

/**
 * What perchd may answer: a documented status, and with an error a code of the register that has this status; never a
 * fault of its own, never where in the code it was.
 */
const statuses = new Set<number>([200, ...Object.values(register).map(({ status }) => status)]);

export function checkError(error: unknown, status: number | undefined, what: string): void {
  assert.ok(typeof error === "object" && error !== null, `${what} is no error: ${JSON.stringify(error)}`);
  const { code, message, next, ...more } = error as Record<string, unknown>;
  assert.ok(typeof code === "string" && Object.hasOwn(register, code), `${what} has an unknown code ${String(code)}`);
  assert.ok(code !== "internal", `${what} is a fault of perchd: ${String(message)}`);
  if (status !== undefined) assert.equal(status, register[code as ErrorCode].status, `${what}: the status of ${code}`);
  assert.ok(
    typeof message === "string" &&
      message !== "" &&
      typeof next === "string" &&
      next !== "" &&
      Object.keys(more).length === 0,
    what,
  );
  assert.doesNotMatch(`${message}${next}`, /(?![\n\t])[\p{Cc}\p{Cf}]/u, `${what} has control characters`);
  assert.doesNotMatch(message, /\n\s+at |node:internal|file:\/\//, `${what} tells of the code`);
}

export function checkStatus(status: number, what: string): void {
  assert.ok(statuses.has(status), `${what} has status ${status}`);
  assert.notEqual(status, 500, what);
}

/**
 * Every answer on a connection, as far as it came. A caller that asks with HEAD hears no body, and what a tunnel brings
 * is no answer.
 */
export function checkConnection(heard: string, said: string): void {
  const [answers = ""] = heard.split("HTTP/1.1 101 ");
  assert.ok(answers === "" || /^HTTP\/1\.1 \d{3} /.test(answers), `what came is no answer: ${answers.slice(0, 80)}`);
  for (const answer of answers.split(/(?=HTTP\/1\.1 \d{3} )/).filter(Boolean)) {
    const status = Number(/\d{3}/.exec(answer.slice(9))?.[0]);
    if (status === 100) continue;
    checkStatus(status, answer.slice(0, 200));
    if (status === 200) continue;
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    if (body === "" && /HEAD/i.test(said)) continue;
    checkError((JSON.parse(body) as { error: unknown }).error, status, body.slice(0, 300));
  }
}
