import { describe, expect, it } from "vitest";
import { runsProgram } from "../../src/model/setting-programs.ts";

describe("a setting", () => {
  it.each([
    ["archive_command", "cp %p /tmp"],
    ["Restore_Command", ""],
    ["archive_library", "basic_archive"],
    ["dynamic_library_path", "/tmp"],
    ["shared_preload_libraries", "pg_stat_statements, /tmp/x.so"],
    ["SESSION_PRELOAD_LIBRARIES", "$libdir/../x"],
    ["jit_provider", "../../x"],
    ["plperl.on_init", "system('id')"],
    ["PLPERL.on_plperlu_init", "1"],
    ["basebackup_to_shell.command", "cat"],
  ])("runs a program of somebody's choice: %s = %s", (name, value) => {
    expect(runsProgram(name, value)).toBe(true);
  });

  it.each([
    ["work_mem", "/bin/sh"],
    ["search_path", "app, public"],
    ["shared_preload_libraries", "pg_stat_statements,auto_explain"],
    ["app.tenant", "/bin/sh"],
    ["auto_explain.log_min_duration", "1s"],
    ["pg_stat_statements.max", "5000"],
    ["log_min_messages", "warning"],
  ])("runs none: %s = %s", (name, value) => {
    expect(runsProgram(name, value)).toBe(false);
  });
});
