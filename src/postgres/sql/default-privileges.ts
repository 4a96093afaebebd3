import { quoteIdentifier } from "./quote.ts";
import { type Session, transaction } from "./session.ts";

interface DefaultPrivileges {
  schema: string | null;
  type: string;
  grants: { grantee: string | null; privilege: string; grantable: boolean }[];
}

const words: Readonly<Record<string, string>> = {
  r: "TABLES",
  S: "SEQUENCES",
  f: "FUNCTIONS",
  T: "TYPES",
  n: "SCHEMAS",
  L: "LARGE OBJECTS",
};

/**
 * What one role's new objects are granted to others from their making, another role's are from now on, in this
 * database.
 */
export async function copyDefaultPrivileges(session: Session, from: string, to: string): Promise<void> {
  const rows = await session.query<DefaultPrivileges>(
    `SELECT n.nspname AS schema, d.defaclobjtype AS type,
            coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('grantee', g.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable))
                        FROM pg_catalog.aclexplode(d.defaclacl) AS a LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = a.grantee), '[]') AS grants
       FROM pg_catalog.pg_default_acl AS d JOIN pg_catalog.pg_roles AS r ON r.oid = d.defaclrole
       LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace WHERE r.rolname = $1`,
    [from],
  );
  const statements = rows.flatMap((row) => statementsOf(row, from, to));
  if (statements.length > 0) await transaction(session, () => session.query(statements.join("; ")));
}

function statementsOf({ schema, type, grants }: DefaultPrivileges, from: string, to: string): string[] {
  const what = words[type];
  if (what === undefined) return [];
  const heir = quoteIdentifier(to);
  const start = `ALTER DEFAULT PRIVILEGES FOR ROLE ${heir}${schema === null ? "" : ` IN SCHEMA ${quoteIdentifier(schema)}`}`;
  const named = (grantee: string | null) =>
    grantee === null ? "PUBLIC" : quoteIdentifier(grantee === from ? to : grantee);
  return [
    // Those of a schema are added to the others; those of no schema stand in place of PostgreSQL's own.
    ...(schema === null ? [`${start} REVOKE ALL ON ${what} FROM PUBLIC, ${heir}`] : []),
    ...grants.map(
      ({ grantee, privilege, grantable }) =>
        `${start} GRANT ${privilege} ON ${what} TO ${named(grantee)}${grantable ? " WITH GRANT OPTION" : ""}`,
    ),
  ];
}
