import { fail } from "../../errors/error.ts";
import { command } from "../command.ts";
import { loadAll } from "../commands.ts";
import { completionScript, shells } from "../completion.ts";

export const completionCommand = command({
  name: "completion",
  summary: "Print the completion script of a shell",
  args: { shell: { summary: shells.join(", ") } },
  examples: ["source <(perch completion bash)", "perch completion fish > ~/.config/fish/completions/perch.fish"],
  alone: true,
  async run({ args }) {
    const shell = shells.find((candidate) => candidate === args.shell);
    if (shell === undefined)
      throw fail("usage_invalid", {
        reason: `perch completion: "${args.shell.slice(0, 40)}" is none of ${shells.join(", ")}`,
      });
    return { text: completionScript(shell, await loadAll()) };
  },
});
