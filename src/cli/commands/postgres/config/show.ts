import { command } from "../../../command.ts";
import { table } from "../../../output/columns.ts";

export const configShow = command({
  name: "postgres config show",
  summary: "Show settings: those that were changed, the named ones, or all",
  args: { names: { summary: "Settings by name", optional: true, many: true } },
  flags: { all: { type: "boolean", summary: "Every setting PostgreSQL has" } },
  examples: ["perch postgres config show -a pg", "perch postgres config show work_mem max_connections -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["listSettings"],
  async run({ args, flags, cluster, daemon }) {
    const query = { all: String(flags.all), ...(args.names.length === 0 ? {} : { names: args.names.join(",") }) };
    const settings = await daemon.call("listSettings", { params: { cluster }, query });
    const rows = settings.map(({ name, value, unit, source, pending, description }) => [
      name,
      value === "" ? '""' : value,
      unit ?? "-",
      source,
      pending ? "yes" : "no",
      description,
    ]);
    return {
      json: settings,
      text: table(
        ["Name", "Value", "Unit", "Set by", "Pending restart", "Description"],
        rows,
        "No settings were changed",
      ),
    };
  },
});
