import asyncio
import os

import asyncpg


async def main() -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    # The app's role owns the app's database, so it makes its own tables.
    await connection.execute("CREATE TABLE IF NOT EXISTS greetings (word text, region text)")
    await connection.execute("INSERT INTO greetings VALUES ($1, $2)", "Hello, world!", os.environ.get("FLY_REGION"))
    for word, region, server in await connection.fetch("SELECT word, region, inet_server_addr() FROM greetings"):
        print(f"{word} from {region}, kept at {server}")
    await connection.close()


asyncio.run(main())
