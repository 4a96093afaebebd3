import type { Session } from "./session.ts";

/**
 * Ends what runs for clients of an address, those too that wait for nothing of the client and so would not see that it
 * is gone.
 */
export async function endSessionsFrom(session: Session, address: string): Promise<void> {
  await session.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr = $1::inet", [address]);
}
