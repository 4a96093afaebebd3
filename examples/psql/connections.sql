-- Current connections to the DB, and where this one arrived.
SELECT pid, usename, left(query, 40) AS query FROM pg_stat_activity WHERE datname = current_database();
SELECT current_user AS role, current_database() AS database, inet_server_port() AS port, pg_is_in_recovery() AS replica;
