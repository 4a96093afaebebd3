"""psycopg 3: one behaviour a run, told in lines of JSON. `python python.py BEHAVIOUR URL-PARAMETERS`"""

import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

# Before there is any thread, so that none of them takes the signal.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def connect(_=None):
    return psycopg.connect(f"{os.environ['DATABASE_URL']}?{sys.argv[2]}", autocommit=True)


def value(connection, sql):
    return connection.execute(sql).fetchone()[0]


def pid_of(connection):
    return value(connection, "SELECT pg_backend_pid()")


def say(told):
    print(json.dumps(told), flush=True)


def tls(connection):
    return value(
        connection,
        "SELECT json_build_object('ssl', ssl, 'address', host(inet_server_addr())) FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    )


def cancel(connection):
    pid = pid_of(connection)

    def interrupt():
        with connect() as other:
            state = f"SELECT state FROM pg_stat_activity WHERE pid = {pid} AND query = 'SELECT pg_sleep(60)'"
            while (other.execute(state).fetchone() or [None])[0] != "active":
                pass
        connection.cancel_safe(timeout=10)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        connection.execute("SELECT pg_sleep(60)")
        code = None
    except psycopg.Error as error:
        code = error.sqlstate
    thread.join()
    return {"code": code, "same": pid_of(connection) == pid}


def copy(connection):
    lines = "".join(f"{number}\tword \\t ü {number}\n" for number in range(1, 10_001))
    connection.execute("CREATE TABLE copied_python (id int, word text)")
    cursor = connection.cursor()
    with cursor.copy("COPY copied_python FROM STDIN") as into:
        into.write(lines)
    with cursor.copy("COPY (SELECT * FROM copied_python ORDER BY id) TO STDOUT") as out:
        return {"same": b"".join(out).decode() == lines}


def listen(connection):
    connection.execute("LISTEN perch")
    with connect() as other:
        other.execute("NOTIFY perch, 'ü'")
        heard = next(connection.notifies(timeout=10))
        return {"payload": heard.payload, "sender": heard.pid == pid_of(other)}


def prepared(connection):
    sums = [connection.execute("SELECT %s::int + 1", [number], prepare=True).fetchone()[0] for number in (1, 2, 3)]
    return {"sums": sums, "runs": value(connection, "SELECT generic_plans + custom_plans FROM pg_prepared_statements")}


def large(connection):
    rows = connection.execute("SELECT repeat('x', 1024) FROM generate_series(1, 51200)").fetchall()
    return {"bytes": sum(len(row[0]) for row in rows)}


def many(connection):
    with ThreadPoolExecutor(99) as pool:
        others = list(pool.map(connect, range(99)))
    seen = value(connection, "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')")
    for other in others:
        other.close()
    return {"connections": seen}


def idle(connection):
    before = pid_of(connection)
    say({"pid": before})
    signal.sigwait([signal.SIGTERM])
    return {"same": pid_of(connection) == before}


def reconnect(connection):
    before = pid_of(connection)
    say({"pid": before})
    try:
        connection.execute("SELECT pg_sleep(60)")
        code = None
    except psycopg.Error as error:
        code = error.sqlstate
    while True:
        try:
            with connect() as following:
                replica = value(following, "SELECT pg_is_in_recovery()")
                return {"code": code, "other": pid_of(following) != before, "replica": replica}
        except psycopg.OperationalError:
            time.sleep(0.02)


if sys.argv[1] == "refused":
    try:
        connect()
        say("connected")
    except psycopg.Error as error:
        say({"message": str(error)})
    sys.exit()
with connect() as main:
    say(globals()[sys.argv[1]](main))
