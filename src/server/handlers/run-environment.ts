/** What a run sees in its environment. Pure. */
import type { MachineRecord } from "../../model/records.ts";

/** FLY_* as Fly.io sets them, the same as PERCH_*, and PRIMARY_REGION. */
export function machineVariables(run: {
  app: string | undefined;
  region: string;
  primaryRegion: string | undefined;
  machine: MachineRecord | undefined;
}): Record<string, string> {
  const facts: Record<string, string | undefined> = {
    APP_NAME: run.app,
    REGION: run.region,
    PRIVATE_IP: run.machine?.address ?? "127.0.0.1",
    MACHINE_ID: run.machine?.id,
    ALLOC_ID: run.machine?.id,
    PROCESS_GROUP: run.app === undefined ? undefined : "app",
  };
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    variables[`FLY_${name}`] = value;
    variables[`PERCH_${name}`] = value;
  }
  if (run.primaryRegion !== undefined) variables["PRIMARY_REGION"] = run.primaryRegion;
  return variables;
}

/**
 * What libpq and its kin read where they are given no URL. Nothing where DATABASE_URL leads to something else than
 * PostgreSQL.
 */
export function libpqVariables(databaseUrl: string | undefined): Record<string, string> {
  if (databaseUrl === undefined || !/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) return {};
  const url = new URL(databaseUrl);
  const parts = {
    PGHOST: url.hostname,
    PGPORT: url.port || "5432",
    PGUSER: url.username,
    PGPASSWORD: url.password,
    PGDATABASE: url.pathname.slice(1),
  };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => (part === "" ? [] : [[name, decodeURIComponent(part)]])),
  );
}
