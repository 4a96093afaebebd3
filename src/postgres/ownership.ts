import { fail } from "../errors/error.ts";
import { quoteIdentifier } from "./quote.ts";
import type { Session } from "./sql.ts";

/**
 * Lets a role use a database that was there before it. One that nobody but the operator owns becomes the role's, with what the operator owns in it (that
 * is how `detach` left it); one that another role owns stays that role's, and the new one becomes its member and works there as it (SET ROLE), so that
 * what either makes belongs to both: two apps on one database. A superuser stays himself.
 */
export async function shareDatabase(open: (database: string) => Promise<Session>, share: { name: string; user: string }): Promise<void> {
  const session = await open(share.name);
  try {
    const [row] = await session.query<{ owner: string; superuser: boolean }>(
      "SELECT rolname AS owner, rolsuper AS superuser FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = $1",
      [share.name],
    );
    if (row === undefined) throw fail("database_not_found", { database: share.name, app: session.app });
    if (row.owner === share.user) return;
    const user = quoteIdentifier(share.user);
    if (!row.superuser) {
      const owner = quoteIdentifier(row.owner);
      await session.query(`GRANT ${owner} TO ${user}`);
      if (!(await isSuperuser(session, share.user)))
        await session.query(`ALTER ROLE ${user} IN DATABASE ${quoteIdentifier(share.name)} SET role TO ${owner}`);
    } else {
      await session.query(`ALTER ROLE ${user} IN DATABASE ${quoteIdentifier(share.name)} RESET role`);
      await session.query(`ALTER DATABASE ${quoteIdentifier(share.name)} OWNER TO ${user}`);
      // An owner may have had his own rights taken away; the next one starts with all of them.
      await session.query(`GRANT ALL ON DATABASE ${quoteIdentifier(share.name)} TO ${user}`);
      await giveObjects(session, row.owner, share.user);
    }
  } finally {
    await session.close();
  }
}

const isSuperuser = async (session: Session, user: string): Promise<boolean> =>
  (await session.query("SELECT FROM pg_roles WHERE rolname = $1 AND rolsuper", [user])).length > 0;

/** REASSIGN OWNED refuses what belongs to the superuser that initdb made, so each object is given by name; those of extensions stay with them. */
async function giveObjects(session: Session, from: string, to: string): Promise<void> {
  const rows = await session.query<{ statement: string }>(
    `WITH mine AS (SELECT oid FROM pg_roles WHERE rolname = $1),
          spaces AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
          bundled AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
     SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $2::text) AS statement
       FROM spaces WHERE nspowner = (SELECT oid FROM mine) AND nspname <> 'public' AND ('pg_namespace'::regclass, oid) NOT IN (SELECT * FROM bundled)
     UNION ALL
     SELECT format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                   pg_class.oid::regclass, $2::text)
       FROM pg_class JOIN spaces ON spaces.oid = relnamespace
      WHERE relowner = (SELECT oid FROM mine) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ('pg_class'::regclass, pg_class.oid) NOT IN (SELECT * FROM bundled)
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i') AND refclassid = 'pg_class'::regclass)
     UNION ALL
     SELECT format('ALTER ROUTINE %s OWNER TO %I', pg_proc.oid::regprocedure, $2::text)
       FROM pg_proc JOIN spaces ON spaces.oid = pronamespace
      WHERE proowner = (SELECT oid FROM mine) AND ('pg_proc'::regclass, pg_proc.oid) NOT IN (SELECT * FROM bundled)
     UNION ALL
     SELECT format('ALTER TYPE %s OWNER TO %I', pg_type.oid::regtype, $2::text)
       FROM pg_type JOIN spaces ON spaces.oid = typnamespace
      WHERE typowner = (SELECT oid FROM mine) AND typtype IN ('e', 'd', 'r') AND ('pg_type'::regclass, pg_type.oid) NOT IN (SELECT * FROM bundled)`,
    [from, to],
  );
  if (rows.length > 0) await session.query(rows.map((row) => row.statement).join("; "), [], 120_000);
}
