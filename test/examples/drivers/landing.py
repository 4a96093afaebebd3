# asyncpg connects to DATABASE_URL as it is, and says where it has arrived.
import asyncio
import json
import os

import asyncpg


async def main() -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    where = await connection.fetchrow("SELECT pg_is_in_recovery()::text AS replica, host(inet_server_addr()) AS address")
    print(json.dumps(dict(where)))
    await connection.close()


asyncio.run(main())
