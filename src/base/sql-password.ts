/**
 * The passwords that SQL names: `PASSWORD` and a literal in any way PostgreSQL reads one, with comments between the
 * two; and what is given to a name that ends like a secret's, by `:=`, `=>`, `TO`, or as the text after it ('password',
 * 'x'). A literal or comment that is cut off hides all that follows; so does a backslash before a quote, which ends a
 * literal in one setting of PostgreSQL and not in another. Text in which such words stand again and again within their
 * own comments would be read as often: its rest is hidden, too.
 */
export function hidePasswords(text: string): string {
  const word = /\b\w{0,60}?(?:password|passwd|pwd|secret|token)(?!\w)/gi;
  let shown = "";
  let from = 0;
  let patience = 2 * text.length + 65_536;
  const gapAfter = (at: number): number => {
    const end = afterGap(text, at);
    patience -= Math.min(end, text.length) - at;
    return end;
  };
  for (let found = word.exec(text); found !== null; found = word.exec(text)) {
    const [name] = found;
    const at = word.lastIndex;
    const plain = name.toLowerCase() === "password";
    const given =
      assignment(text, at, gapAfter) ??
      (plain && text[at] !== '"' ? { start: gapAfter(at), quote: "", sign: "" } : undefined);
    const { start, quote, sign } = given ?? { start: at, quote: "", sign: "" };
    // `password='x'` is a pair like any other, and hidden as one.
    if (
      patience >= 0 &&
      (given === undefined || (text[start] === "'" && /^["']?\s*[=:]\s*$/.test(text.slice(at, start))))
    )
      continue;
    const end =
      patience < 0 || start === cutOff ? text.length : (literalEnd(text, start) ?? valueEnd(text, start, sign));
    if (end === undefined) continue;
    shown += `${text.slice(from, found.index)}${quote === "" ? (plain ? "PASSWORD" : name) : name + quote + sign} '***'`;
    from = end;
    word.lastIndex = end;
  }
  return shown + text.slice(from);
}

/** Where the value begins that a name is given, and how: the name may end with a quote. */
function assignment(
  text: string,
  at: number,
  gapAfter: (at: number) => number,
): { start: number; quote: string; sign: string } | undefined {
  const quote = /^["'](?=\s{0,9}[,:=])/.exec(text.slice(at, at + 11))?.[0] ?? "";
  const gap = gapAfter(at + quote.length);
  if (gap === cutOff) return undefined;
  const sign = /^(?::=|=>|==|=|:|,|TO\b)/i.exec(text.slice(gap, gap + 3))?.[0] ?? "";
  return sign === "" || (sign === "," && quote === "")
    ? undefined
    : { start: gapAfter(gap + sign.length), quote, sign };
}

/** What is no literal of SQL, after a sign that says it is a value: what `redact` does not know as a pair. */
function valueEnd(text: string, start: number, sign: string): number | undefined {
  const value = /"(?:[^"\\]|\\.)*"|[^\s,;)'"$]+/y;
  value.lastIndex = start;
  return [":=", "=>", "=="].includes(sign) && value.test(text) ? value.lastIndex : undefined;
}

const cutOff = Number.POSITIVE_INFINITY;

/** Where spaces and comments end, which nest. */
function afterGap(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  const space = /\s+/y;
  let at = from;
  for (;;) {
    space.lastIndex = at;
    if (space.test(text)) at = space.lastIndex;
    else if (text.startsWith("--", at) && /\s/.test(text[at + 2] ?? " ")) {
      const line = text.indexOf("\n", at);
      if (line === -1) return text.length;
      at = line + 1;
    } else if (text.startsWith("/*", at)) {
      let depth = 0;
      mark.lastIndex = at;
      do {
        const met = mark.exec(text);
        if (met === null) return cutOff;
        depth += met[0] === "/*" ? 1 : -1;
      } while (depth > 0);
      at = mark.lastIndex;
    } else return at;
  }
}

/** Where the literal ends that begins there; undefined where none does. */
function literalEnd(text: string, start: number): number | undefined {
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]{0,62})?\$/u.exec(text.slice(start, start + 66))?.[0];
  if (tag !== undefined) {
    const end = text.indexOf(tag, start + tag.length);
    return end === -1 ? text.length : end + tag.length;
  }
  const prefix = /^(?:U&|[ENBX])?'/i.exec(text.slice(start, start + 3))?.[0];
  if (prefix === undefined) return undefined;
  let at = start + prefix.length;
  for (;;) {
    const one = text[at];
    if (one === undefined) return text.length;
    if (one === "\\" || (one === "'" && text[at + 1] === "'")) at += 2;
    else if (one === "'") {
      // A literal goes on in a later line.
      const on = /^\s*\n\s*'/.exec(text.slice(at + 1, at + 200))?.[0];
      if (on === undefined) return at + 1;
      at += 1 + on.length;
    } else at++;
  }
}
