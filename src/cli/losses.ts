import { PerchError } from "../errors/error.ts";
import type { Terminal } from "./output/terminal.ts";

/** Changes a leader; where that loses something, asks first whether it may. Undefined when the answer is no. */
export async function acceptLosses<T>(
  terminal: Terminal,
  yes: boolean,
  change: (accepted: boolean) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await change(yes);
  } catch (error) {
    if (!(error instanceof PerchError) || error.code !== "change_loses" || !terminal.interactive) throw error;
    terminal.progress.stop();
    const consent = {
      yes: false,
      warning: error.message,
      question: "Change the leader all the same?",
      what: "Changing the leader",
    };
    return (await terminal.consent(consent)) ? change(true) : undefined;
  }
}
