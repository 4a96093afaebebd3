/** Secrets out of text that is about to be logged, shown or kept: passwords in URLs, in key=value pairs and in SQL. */
export function redact(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, "$1:***@")
    .replace(/\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)('[^']*'|"[^"]*"|[^\s,;&]+)/gi, "$1$2***")
    .replace(/\bPASSWORD\s+'(?:[^']|'')*'/gi, "PASSWORD '***'");
}

/** `postgres://web:***@pg.internal:5432/web` */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:/@]*):[^@]*@/i, "$1:***@");
}
