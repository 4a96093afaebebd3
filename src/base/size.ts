/** `1.5 MB`: bytes for people, powers of 1024 as PostgreSQL prints them. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `84 %`. */
export const percent = (part: number, whole: number): string => `${Math.floor((100 * part) / whole)} %`;
