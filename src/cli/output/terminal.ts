import { fail } from "../../errors/error.ts";
import { progressOn, type Progress } from "./progress.ts";
import { forTerminal, type Style, styleOf } from "./style.ts";

/**
 * Where a command meets people: results on stdout, everything else (progress, notes, questions, errors) on stderr.
 */
export interface Terminal {
  readonly style: Style;
  /** Whether somebody sits there who can be asked. */
  readonly interactive: boolean;
  /** A result, of which a terminal obeys nothing but our own colours. A newline is added where it ends without one. */
  print(text: string): void;
  /** A remark that is no result. */
  note(text: string): void;
  /** What is being done now, until the next or the end. */
  readonly progress: Progress;
  /**
   * Whether to go on with what cannot be undone. `what` is the beginning of the error where nobody can be asked:
   * "Destroying app web". Throws `confirmation_needed` there, and `question_cancelled` at Ctrl-C.
   */
  consent(ask: { yes: boolean; warning?: string; question: string; what: string }): Promise<boolean>;
}

export function processTerminal(options: { quiet: boolean; signal?: AbortSignal }): Terminal {
  const progress = options.quiet
    ? silent
    : onceSaid(() => progressOn(process.stderr, styleOf(process.stderr.isTTY, process.env)));
  const asked = () => process.stdin.isTTY && process.stderr.isTTY;
  const note = (text: string) => {
    progress.done();
    process.stderr.write(line(text));
  };
  return {
    style: styleOf(process.stdout.isTTY, process.env),
    get interactive() {
      return asked();
    },
    progress,
    print(text) {
      progress.done();
      process.stdout.write(line(text));
    },
    note,
    async consent({ yes, warning, question, what }) {
      if (yes) return true;
      if (!asked()) throw fail("confirmation_needed", { what });
      if (warning !== undefined) note(styleOf(process.stderr.isTTY, process.env).red(warning));
      return ask(question, options.signal);
    },
  };
}

const silent: Progress = { say: () => undefined, done: () => undefined, stop: () => undefined };

/** A command that says nothing opens no stream for it. */
function onceSaid(make: () => Progress): Progress {
  let made: Progress | undefined;
  return { say: (sentence) => (made ??= make()).say(sentence), done: () => made?.done(), stop: () => made?.stop() };
}

const line = (text: string): string => forTerminal(text === "" || text.endsWith("\n") ? text : `${text}\n`);

/** Ctrl-C is a key to a question, and a signal to us before the question has the keyboard: both cancel it. */
async function ask(question: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({
    message: forTerminal(question),
    initialValue: false,
    output: process.stderr,
    ...(signal && { signal }),
  });
  if (isCancel(answer)) throw fail("question_cancelled", {});
  return answer;
}
