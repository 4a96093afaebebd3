"""Twenty threads, a connection each, all with statements of their own: what each reads must be its own. What psycopg is told more is JSON."""
import json
import os
import sys
import threading

import psycopg

more = json.loads(sys.argv[1])
told = {"wrong": 0, "errors": 0, "right": 0}
lock = threading.Lock()


def count(what: str) -> None:
    with lock:
        told[what] += 1


def work(k: int) -> None:
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, **more)
    for i in range(100):
        try:
            row = connection.execute(f"select %s::int + {k}", [i]).fetchone()
            count("right" if row == (i + k,) else "wrong")
        except psycopg.Error:
            count("errors")
    connection.close()


threads = [threading.Thread(target=work, args=(k,)) for k in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(told))
