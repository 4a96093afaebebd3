/**
 * Parsed JSON as what it should be, or an error that names the place. By hand, because a schema library would be a
 * fifth of this process's memory.
 */

export function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${at} is no object`);
  return value as Record<string, unknown>;
}

export function text(value: unknown, at: string): string {
  if (typeof value !== "string") throw new Error(`${at} is no text`);
  return value;
}

export function optional<T>(value: unknown, at: string, read: (value: unknown, at: string) => T): T | undefined {
  return value === undefined ? undefined : read(value, at);
}

export function list<T>(value: unknown, at: string, read: (item: Record<string, unknown>, at: string) => T): T[] {
  if (!Array.isArray(value)) throw new Error(`${at} is no list`);
  return value.map((item, index) => read(object(item, `${at}[${index}]`), `${at}[${index}]`));
}
