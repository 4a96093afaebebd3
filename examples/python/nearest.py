import json
import os
from urllib.parse import urlsplit

import psycopg

# In the primary region the leader, elsewhere the nearest member: the same URL with port 5433
url = urlsplit(os.environ["DATABASE_URL"])
primary, current = os.environ.get("PRIMARY_REGION"), os.environ.get("FLY_REGION")
if primary and current and primary != current:
    url = url._replace(netloc=url.netloc.replace(f":{url.port}", ":5433"))

with psycopg.connect(url.geturl()) as connection:
    replica, address = connection.execute("SELECT pg_is_in_recovery()::text, host(inet_server_addr())").fetchone()
    print(json.dumps({"replica": replica, "address": address}))
