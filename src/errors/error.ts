import { type ErrorCode, type ErrorEntry, register } from "./register.ts";
import { shown } from "./shown.ts";

/** The names between braces in a message: `'app "{app}" does not exist'` → `"app"`. */
type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** What an error of this code must be given, by name: the placeholders of its message and of its next step. */
export type ErrorParams<C extends ErrorCode> = Record<
  Placeholders<(typeof register)[C]["message"]> | Placeholders<(typeof register)[C]["next"]>,
  string | number
>;

/** An error as it crosses the API. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  next: string;
}

/** An error from the register. `cause` keeps what led to it; it goes to the log, never over the wire. */
export class PerchError extends Error {
  readonly code: ErrorCode;
  readonly next: string;

  constructor(body: ErrorBody, cause?: unknown) {
    super(body.message, cause === undefined ? undefined : { cause });
    this.name = "PerchError";
    this.code = body.code;
    this.next = body.next;
  }

  get entry(): ErrorEntry {
    return register[this.code];
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, next: this.next };
  }
}

const fill = (template: string, params: Record<string, string | number>): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(params, name) ? shown(String(params[name])) : whole,
  );

/** `throw fail("app_not_found", { app: "web" })`. The compiler demands exactly the placeholders of that code. */
export function fail<C extends ErrorCode>(code: C, params: ErrorParams<C>, cause?: unknown): PerchError {
  const entry: ErrorEntry = register[code];
  return new PerchError({ code, message: fill(entry.message, params), next: fill(entry.next, params) }, cause);
}

/** Whatever was thrown, as an error of the register: unknown things become `internal`. */
export function toPerchError(thrown: unknown): PerchError {
  if (thrown instanceof PerchError) return thrown;
  if (wantsRoom(thrown)) return fail("disk_full", { path: thrown.path ?? "its home" }, thrown);
  return fail("internal", { why: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
}

/** As Node says that a disk, or the part of it that a user may fill, is full. */
const wantsRoom = (thrown: unknown): thrown is Error & { path?: string } =>
  thrown instanceof Error && "code" in thrown && (thrown.code === "ENOSPC" || thrown.code === "EDQUOT");

export function isCode(thrown: unknown, code: ErrorCode): boolean {
  return thrown instanceof PerchError && thrown.code === code;
}
