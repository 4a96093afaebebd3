import os

import psycopg

conninfo = os.environ["DATABASE_URL"]
with psycopg.connect(conninfo) as connection:
    with connection.cursor() as cursor:
        # The app's role owns the app's database, so it makes its own tables.
        cursor.execute("CREATE TABLE IF NOT EXISTS greetings (word text, region text)")
        cursor.execute("INSERT INTO greetings VALUES (%s, %s)", ["Hello, world!", os.environ.get("FLY_REGION")])
        cursor.execute("SELECT word, region, inet_server_addr() FROM greetings")
        results = cursor.fetchall()

for word, region, server in results:
    print(f"{word} from {region}, kept at {server}")
