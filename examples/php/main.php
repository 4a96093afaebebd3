<?php

// The URL of `attach` is postgres://USER:PASSWORD@HOST:PORT/DATABASE; PDO wants its parts by libpq's names, user and password apart.
$url = parse_url(getenv('DATABASE_URL'));
$options = [];
parse_str($url['query'] ?? '', $options); // sslmode and its kin have the same names
$parts = ['host' => trim($url['host'], '[]'), 'port' => $url['port'], 'dbname' => rawurldecode(substr($url['path'], 1)), ...$options];
$quoted = array_map(fn ($name, $value) => "$name='" . addcslashes($value, "'\\") . "'", array_keys($parts), $parts);
$db = new PDO('pgsql:' . implode(' ', $quoted), rawurldecode($url['user']), rawurldecode($url['pass']));

// The app's role owns the app's database, so it makes its own tables.
$db->exec('CREATE TABLE IF NOT EXISTS greetings (word text, region text)');
$db->prepare('INSERT INTO greetings VALUES (?, ?)')->execute(['Hello, world!', getenv('FLY_REGION') ?: null]);
foreach ($db->query('SELECT word, region, inet_server_addr() AS server FROM greetings') as $row) {
    echo "$row[word] from $row[region], kept at $row[server]\n";
}
