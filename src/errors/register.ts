/**
 * The register of every error a user can meet. One entry: what happened (with `{placeholders}`), the HTTP status, the
 * exit code, and what to do next. `docs/errors.md` is written from it and a test holds the two together; a code that is
 * retired never returns with another meaning.
 */

export interface ErrorEntry {
  /**
   * "user": something the caller can correct by asking differently. "system": the machine, PostgreSQL or Perch itself.
   */
  readonly kind: "user" | "system";
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 499 | 500 | 503 | 507;
  /**
   * 1 failed, 2 wrong usage; 126 and 127 as a shell has them, for a command that cannot be run and one that does not
   * exist.
   */
  readonly exit: 1 | 2 | 126 | 127;
  readonly message: string;
  readonly next: string;
}

const user = <M extends string, N extends string>(status: ErrorEntry["status"], message: M, next: N, exit: ErrorEntry["exit"] = 1) =>
  ({ kind: "user", status, exit, message, next }) as const;
const usage = <M extends string, N extends string>(message: M, next: N) => user(400, message, next, 2);
const system = <M extends string, N extends string>(status: ErrorEntry["status"], message: M, next: N) =>
  ({ kind: "system", status, exit: 1, message, next }) as const;

export const register = {
  // Usage: what was typed
  usage_invalid: usage("{reason}", "See the command's --help."),
  command_unknown: usage('{group} has no command "{word}"', "{instead}"),
  name_invalid: usage('{what} "{name}" is not valid: {why}', "Use lower-case letters, digits and dashes, starting with a letter, 63 at most."),
  region_invalid: usage('region "{region}" is not known{hint}', "List the codes with: perch platform regions"),
  identifier_invalid: usage('{what} "{name}" is not valid: {why}', "Choose another: PostgreSQL identifiers have 1 to 63 bytes and no NUL."),
  secret_name_invalid: usage('secret name "{name}" is not valid: {why}', "Use letters, digits and underscores, not starting with a digit, FLY_ or PERCH_."),
  secret_pair_invalid: usage("Secrets must be provided as NAME=VALUE pairs ({what})", "For example: perch secrets set -a web MODE=live, or API_KEY=- for what is secret"),
  secret_too_large: usage("the value of secret {name} has {bytes} bytes; 65536 are allowed", "Keep large values in a file and its path in the secret."),
  password_invalid: usage("the password is not valid: {why}", "Give 8 to 128 characters without control characters, or omit --password for a random one."),
  env_pair_invalid: usage('--env "{pair}" is not a NAME=VALUE pair', "For example: --env LOG_LEVEL=debug"),
  config_file_invalid: usage("{file}:{line}:{column}: {why}", "Correct the file: [env] holds strings, app and primary_region are names."),
  config_file_unreadable: usage("{file} cannot be read: {why}", "Check the path given by --config and its permissions."),
  config_file_untrusted: usage("{file} is not used, for another user could choose what it says: {why}", "Name it if you trust it, with --config {file}, or run perch as the user it belongs to."),
  proxy_invalid: usage('"{value}" is not valid: {why}', "Give LOCAL[:REMOTE], for example: perch proxy 15432:5432 -a pg"),
  publish_invalid: usage('--publish "{value}" is not valid: {why}', "Give a port, or two: --publish 3000, --publish 8080:3000"),
  no_app: usage("no app was named", "Name it with -a APP, or run where a perch.toml or fly.toml has a line: app = \"NAME\""),
  no_cluster: usage("no cluster was named", "Name it with -a CLUSTER; list them with: perch postgres list"),
  run_user_refused: usage("no command runs as {user}: {why}", "Name another user of this host; useradd --system NAME makes one for an app."),
  no_command: usage("there is no command to run", "Put it behind two dashes: perch run -a web -- npm start"),
  command_is_app: usage("{app} is an app, not a command", "Name the app by a flag: perch run -a {app} -- {command}"),
  confirmation_needed: usage("{what} cannot be undone and there is no terminal to ask", "Repeat the command with --yes."),
  listen_invalid: usage('{what} "{value}" is not valid: {why}', "Give an address of this host and a port: {what} 203.0.113.7:5432, or '[2001:db8::1]:5432'."),
  cidr_invalid: usage('--allow "{value}" is not valid: {why}', "For example: --allow 203.0.113.0/24"),
  hostname_invalid: usage('hostname "{name}" is not valid: {why}', "Give the public name that clients connect to, such as db.example.com."),
  endpoint_invalid: usage('--endpoint "{value}" is not valid: {why}', "Give the host and the UDP port by which the peer reaches this host: vpn.example.com:51820, or '[2001:db8::1]:51820'."),
  file_refused: usage("{path} cannot be written: {why}", "Choose another file; nothing was changed."),
  size_invalid: usage("{what} {value} is not valid: {why}", "See the command's --help for the range."),

  // What is there and what is not
  app_not_found: user(404, 'app "{app}" does not exist', "List the apps with: perch apps list"),
  app_exists: user(409, 'app "{app}" already exists', "Choose another name, or destroy it first: perch {noun} destroy {app}"),
  app_is_cluster: user(409, 'app "{app}" is a postgres cluster', "Use: perch postgres destroy {app}"),
  app_in_use: user(409, 'app "{app}" is in use: {by}', "Stop it or detach it first."),
  not_a_cluster: user(404, "app {app} is not a postgres app", "List the clusters with: perch postgres list. What an app itself prints is where perch run runs it"),
  cluster_not_ready: user(409, "cluster {app} is {phase}", "Wait for it, or look at: perch postgres status -a {app}"),
  no_active_leader: user(503, "no active leader found in cluster {app}: {why}", "Look at: perch postgres status -a {app}, and start it: perch machine start {machine}"),
  change_loses: user(409, "a change of leader of {app} takes {what}: a replica has none of it", "Repeat the command with --yes to accept that."),
  machine_not_found: user(404, 'machine "{machine}" does not exist', "List the machines with: perch machine list"),
  machine_is_leader: user(409, "machine {machine} is the leader of {app} and cannot be {what}", "Destroy the whole cluster with: perch postgres destroy {app}"),
  machine_is_cluster: user(409, "{app} is a cluster, not a machine", "Give the id of one of its machines, such as that of its leader: {leader}. All of them: perch machine list -a {app}"),
  machine_is_run: user(409, "machine {machine} is a run of app {app}, not a postgres member", "It ends when its command ends."),
  database_exists: user(409, 'database "{database}" already exists in {app}', "Choose another name; attach takes one that exists with --yes."),
  database_not_found: user(404, 'database "{database}" does not exist in {app}', "List the databases with: perch postgres db list -a {app}"),
  database_protected: user(409, 'database "{database}" belongs to PostgreSQL itself', "Choose a database of your own."),
  held: user(409, "{what} is held by {by}", "Nothing was changed. End that, for example as the operator by {how}; then repeat the command."),
  half_retired: system(500, "{users} could neither be removed nor left as before: {why}", "Look at: perch events"),
  half_detached: system(500, "{app} is not detached from {cluster} yet: {why}", "Its database stays, whatever was asked for. The rest goes on by itself; look at: perch events"),
  database_in_use: user(409, 'database "{database}" is in use: {apps} is attached to it', "Detach first: perch postgres detach {app} --app APP"),
  user_exists: user(409, 'user "{user}" already exists in {app}', "Choose another name."),
  database_user_exists: user(409, 'database user "{user}" already exists. Please specify a new database user via --database-user', "For example: --database-user {user}_2"),
  user_not_found: user(404, 'user "{user}" does not exist in {app}', "List the users with: perch postgres users list -a {app}"),
  user_protected: user(409, 'user "{user}" is one that the cluster itself needs', "Choose a user of your own."),
  user_in_use: user(409, 'user "{user}" cannot be dropped: {why}', "Detach the app that uses it, or drop what it owns first."),
  rotation_at_once: user(409, 'no app is attached as user "{user}": its password changes at once, and nothing can be kept working', "Omit --overlap."),
  rotation_overlaps: user(409, 'user "{user}" has {count} passwords that still work, and no room for another', "See until when with: perch postgres users list -a {app}. Or end all of them now: perch postgres users rotate {user} -a {app} --overlap 0"),
  secret_exists: user(409, 'consumer app "{app}" already contains a secret named {name}', "Detach first, give another --variable-name, or: perch secrets unset {name} -a {app}"),
  already_attached: user(409, 'app "{app}" is already attached to {cluster} as {variable}', "Use --if-not-attached to accept that, or give another --variable-name."),
  no_attachments: user(404, "no attachments found: app {app} is not attached to {cluster}", "List them with: perch postgres status -a {cluster}"),
  attachment_ambiguous: usage('app "{app}" has several attachments to {cluster}: {variables}', "Choose one with --variable-name."),
  setting_unknown: usage('"{name}" is not a setting of PostgreSQL {version}', "List them with: perch postgres config show -a {app} --all"),
  setting_invalid: usage('setting {name} does not take "{value}": {why}', "Look at: perch postgres config show {name} -a {app}"),
  settings_taken_back: user(409, "the change of {names} in {app} was taken back, because PostgreSQL said: {why}", "Look at: perch postgres config show -a {app}, and change what PostgreSQL named."),
  setting_managed: usage("setting {name} is kept by Perch: {why}", "Leave it to Perch."),
  recipe_unknown: usage('there is no recipe for "{client}"; there are {known}', "See what each is with: perch postgres recipe list"),
  network_not_found: user(404, 'network "{network}" does not exist', "List them with: perch network list"),
  network_exists: user(409, 'network "{network}" already exists', "Choose another name, or destroy it first: perch network destroy {network}"),
  network_in_use: user(409, 'network "{network}" has {what}', "Destroy what is in it first, or everything at once: perch network destroy {network} --force"),
  network_is_default: usage("the network default is PERCH_HOME itself and cannot be {what}", "Choose another name."),

  // Public doors
  not_exposed: user(404, "cluster {app} has no public door", "Open one: perch postgres expose -a {app} --hostname NAME --listen ADDRESS:PORT"),
  certificate_invalid: user(422, "{path} cannot serve {hostname}: {why}", "Give the whole chain with --cert and its key with --key; nothing was changed."),
  listen_refused: user(422, "it is not possible to listen on {listen}: {why}", "Choose a free port of an address this host has, of 1024 or above unless Perch runs as root; nothing is open."),
  certificates_late: system(503, "{count} do not serve a new certificate within {seconds} s: {members}", "Perch goes on trying. Look at: perch events"),
  door_failed: system(500, "the public door did not open: {why}", "Read the end of perchd.log; nothing is open."),

  // WireGuard
  peer_not_found: user(404, 'peer "{peer}" does not exist', "List the peers with: perch wireguard list"),
  peer_exists: user(409, 'peer "{peer}" already exists', "Choose another name, or remove it first: perch wireguard remove {peer}"),
  endpoint_unknown: usage("this host has no address that it could tell a peer", "Give the host and the UDP port by which the peer reaches it: --endpoint HOST:PORT"),
  wireguard_needs_root: user(409, "an ordinary user cannot open a WireGuard door: its socket is on the host, and its interface is moved into the network", "Run Perch as root, where that is possible; what runs on this host joins without it, by perch run."),
  wireguard_failed: system(500, "the WireGuard door did not open: {why}", "Remove the cause and repeat; perchd tries again by itself while there are peers."),

  // Remote control
  machine_only: usage("{what} works on the host itself, not from another", "Type it there, without --host and PERCH_REMOTE."),
  remote_invalid: usage('"{value}" is not HOST:PORT', "For example: --host db.example.com:6643"),
  remote_unreachable: system(503, "{host} cannot be reached: {why}", "Check the address, and on that host: perch remote status"),
  remote_untrusted: user(403, "{host} is not the perchd that the token is from: {why}", "Nothing was sent. Check the address, and log in with a token of that network: perch login {host}"),
  not_logged_in: usage("there is no token for {host}", "Log in with: perch login {host}, or set PERCH_TOKEN"),
  host_refused: user(403, "no request for the host {host} is answered here", "Use a name or an address that leads here; add one with: perch remote on --hostname NAME"),
  origin_refused: user(403, "requests of web pages are not answered", "Call the API from a program, not from a page."),
  token_malformed: usage("this is not a token of Perch", "Give the whole text that perch tokens create printed: perch_….…"),
  token_missing: user(401, "the request has no token", "Send it as: Authorization: Bearer TOKEN"),
  token_invalid: user(401, "the token is not valid: it was never given out, or is revoked", "Make one on that host: perch tokens create NAME"),
  token_revoked: user(401, "token {token} has just been revoked", "Make another on that host: perch tokens create NAME"),
  token_expired: user(401, "token {token} has expired", "Make another on that host: perch tokens create NAME"),
  token_scope: user(403, "token {token} has the scope {scope}, and {what} needs {needed}", "Make one on that host: perch tokens create NAME --scope {needed}"),
  token_app: user(403, "token {token} is for app {app} only", "Make one without --app on that host: perch tokens create NAME"),
  token_endless: usage("a token must end within {days} days, and --expires is {value}", "For example: --expires 90d"),
  token_cluster: user(403, "token {token} is for app {app}, which is not attached to cluster {cluster}", "Attach it there once on that host: perch postgres attach {cluster} -a {app}"),
  token_exists: user(409, 'token "{token}" already exists', "Choose another name, or revoke it first: perch tokens revoke {token}"),
  token_not_found: user(404, 'token "{token}" does not exist', "List the tokens with: perch tokens list"),
  too_many_requests: user(429, "{source} cannot call now: {why}", "Wait a minute."),

  // The machine underneath
  tools_missing: user(422, "{tools} cannot be found", "{how}, or do without a private network: --portable"),
  client_missing: user(422, "the program {program} cannot be found", "On Debian or Ubuntu: apt-get install {packages}"),
  command_not_found: user(404, "{command}: command not found", "Check the name and the PATH.", 127),
  command_not_executable: user(422, "{command}: cannot be executed", "Check that it is a file and has the permission: chmod +x", 126),
  postgres_binaries_missing: user(422, "PostgreSQL {major} was not found: {tried}", "Install postgresql-{major}, give --pg-bin DIR, or choose --pg-version 18."),
  postgres_binaries_gone: system(503, "PostgreSQL of {app} cannot be started: {why}", "Put it there again, or name another directory of the same major: perch postgres config binaries DIR -a {app}"),
  postgres_binaries_wrong: usage("{directory} holds PostgreSQL {found}, not {wanted}", "Give the bin directory of PostgreSQL {wanted}, or --pg-version {found}."),
  postgres_version_unsupported: usage("PostgreSQL {major} is not supported", "Choose {supported}."),
  postgres_start_failed: system(500, "PostgreSQL of machine {machine} did not start: {why}", "Look at: perch logs -a {app}"),
  postgres_init_failed: system(500, "the data directory of machine {machine} could not be created: {why}", "Remove the cause and repeat; nothing was left behind."),
  base_backup_failed: system(500, "machine {machine} could not be copied from the leader: {why}", "Remove the cause and repeat; nothing was left behind."),
  copy_no_room: system(507, "machine {machine} cannot be copied: it takes {needed}, and {free} are free under {path}", "Free space there; Perch then copies it by itself."),
  data_kept: system(409, "the data of machine {machine} stays: {why}", "Look at: perch postgres status -a {app}"),
  leader_away: user(409, "the leader of {app} does not answer: {why}", "It is restarted in place, which loses nothing. To end it and lose what only it has: --force --to {machine}"),
  region_secondary: user(409, "machine {machine} is in {region}, not in {app}'s primary region {primary}", "Once: --allow-secondary-region. For good: perch postgres promote {machine} -a {app}"),
  pool_off: user(409, "cluster {app} has no pooler", "Switch one on: perch postgres pool on -a {app}"),
  pool_mode_unsafe: user(
    409,
    "in transaction mode PgBouncer {version} gives wrong rows to clients that prepare statements, as most drivers do",
    "Leave --mode out for session mode. Or add --no-prepared-statements and switch them off in each client: perch postgres recipe CLIENT -a APP says how. Or install PgBouncer 1.21 or newer (docs/pooling.md).",
  ),
  pool_portable: user(409, "in portable mode there is no pooler", "A pooler has addresses of its own in the private network; run perch where namespaces are allowed."),
  pooler_missing: user(503, "PgBouncer is not installed on this host", "Install it, for example: apt-get install pgbouncer"),
  pooler_failed: system(500, "the pooler at {address} does not work: {why}", "Look at: perch events"),
  replica_unfit: user(409, "machine {machine} cannot lead {app}: {why}", "Look at: perch postgres status -a {app}; nothing was changed."),
  no_candidate: user(409, "no other member of {app} may lead: {why}", "Make one: perch machine clone {machine} --region {region}, or name one elsewhere with --to and --allow-secondary-region."),
  tablespaces_present: user(
    409,
    "cluster {app} has tablespaces outside of its data directory ({tablespaces}): a replica on this host would write the very same files",
    "Move what is in them back with ALTER TABLE … SET TABLESPACE pg_default, drop them, and repeat; nothing was changed.",
  ),
  replica_not_streaming: system(500, "replica {machine} did not begin to stream within {seconds} s: {why}", "Look at: perch logs -a {app}"),
  sql_failed: system(500, "PostgreSQL of {app} refused: {why}", "Look at: perch logs -a {app}"),
  disk_full: system(507, "the disk under {path} is full", "Make room and repeat; nothing was left behind."),
  user_missing: system(500, "PostgreSQL refuses to run as root, and the system user {user} is missing", "Create it: useradd --system --user-group {user}"),
  user_shared: system(500, "PostgreSQL cannot run as the user {user}: {why}", "Give the user {user} a number and a group that no other user has, or remove it: userdel {user}"),
  home_unreachable: user(422, "user {user} cannot access {path}, and namespaces are not available on this host", "Choose another PERCH_HOME, or: chmod o+x {path}"),
  home_unsafe: user(422, "{path} is not safe: {why}", "Look at what is in it; where you trust it: {fix}"),
  namespace_unusable: system(500, "the network namespace is there and cannot be used: {why}", "Repair what it names, then: perch up; what runs in the namespace goes on."),
  runtime_unsafe: user(422, "{path} is not safe, so perchd's socket below it is not trusted: {why}", "Nothing was sent to it. Find out who made it, and remove it, as root where it belongs to another user."),
  file_strange: system(500, "{path} is not read: {why}", "Find out who put it there, and remove it."),
  namespace_refused: system(500, "the network namespace could not be created: {why}", "Use: perch up --portable"),
  name_server_failed: system(500, "the name server did not start: {why}", "Read the end of perchd.log."),
  name_server_lost: system(503, "the name server does not answer: {why}", "perchd starts it again by itself; look at: perch events"),
  host_access_needs_root: user(409, "an ordinary user cannot give this host a way into the network: it takes an interface and a route on the host", "Use perch proxy or perch run, or run Perch as root."),
  host_access_failed: system(500, "the host's way into the network could not be made: {why}", "Remove the cause and repeat: perch host-access on"),
  target_refused: user(403, "{target} cannot be reached by perch proxy: {why}", "Give an address of the network, or a name of it such as pg.internal."),
  target_unknown: user(404, "there is no {name} in the network", "Look at: perch dig _apps.internal TXT"),
  target_unreachable: user(503, "{target} cannot be reached: {why}", "Look at: perch status"),
  proxy_listen: user(409, "it is not possible to listen on {listen}: {why}", "Choose another port, or 0 for any that is free; --bind-addr chooses the address."),
  portable_mode: user(409, "{what} needs the private network, and this one is in portable mode", "Stop it and start without --portable: perch down, perch up"),
  mode_fixed: user(409, "this network is in {mode} mode while it runs", "Stop it first: perch down"),

  // The daemon
  cluster_not_up: system(503, "perchd runs, and cluster {cluster} is not up: {why}", "Look at: perch logs -a {cluster}"),
  inside_run: user(409, "perchd of {home} cannot be reached from inside perch run", "Type it outside of perch run."),
  daemon_not_running: user(503, "Perch is not running for {home}", "Start it with: perch up"),
  daemon_start_failed: system(500, "perchd did not start: {why}", "Read the end of {log}"),
  upgrade_by_systemd: user(409, "perchd {version} is kept by systemd, as {unit}", "Put this version in its place with: {command}"),
  systemd_missing: user(422, "systemd does not keep services here: {why}", "Start Perch by perch up where this host starts its services; perch systemd print shows the unit."),
  systemd_failed: system(500, "{command} failed: {why}", "Look at: journalctl -b, and perch systemd status"),
  unit_taken: user(409, "{file} belongs to {by}", "Disable that unit first: systemctl disable --now {unit}, then remove the file."),
  already_running: user(409, "Perch is already running for {home} (perchd {pid})", "Nothing needs doing; look at: perch status"),
  daemon_lost: system(503, "the connection to perchd was lost: {why}", "Start it again with: perch up; what was half done is undone or taken up then."),
  shutting_down: user(503, "perchd is shutting down", "Start it again with: perch up"),
  state_newer: system(500, "the state in {path} was written by a newer Perch: {what}", "Start the version that wrote it, or a newer one; nothing was changed."),
  state_damaged: system(500, "the state in {path} cannot be read: {why}", "Restore perch.db and secret.key from your backup of PERCH_HOME."),
  state_missing: system(500, "the state in {path} is not this home's: {what}", "Restore perch.db and secret.key from your backup of PERCH_HOME; what runs goes on meanwhile. For an empty network, choose another PERCH_HOME."),
  state_unreachable: system(500, "the state in {path} cannot be opened: {why}", "Check the owner, the permissions and the disk of {path}."),
  key_missing: system(500, "the key file {path} is missing, and there are secrets under it", "Restore secret.key from your backup of PERCH_HOME."),
  key_wrong: system(500, "the key in {path} is not the one that the secrets in perch.db are sealed with", "Restore the secret.key that belongs to this perch.db: after perch secrets rekey an older copy of perch.db needs the older key."),
  key_damaged: system(500, "the key file {path} is damaged: {why}", "Restore secret.key from your backup of PERCH_HOME."),
  key_unreadable: system(500, "the key file {path} cannot be read: {why}", "Make it a file of the user that Perch runs as: chown USER {path}, then chmod 600 {path}"),
  secret_damaged: system(500, "secret {context} does not open with the key: it was damaged, or sealed with another", "Set it again, or restore perch.db and secret.key from one backup of PERCH_HOME."),
  key_unsafe: system(500, "the key file {path} can be read by others (mode {mode})", "chmod 600 {path}"),
  busy: user(409, "{what} is busy: {by} is under way", "Wait for it and repeat."),
  conflict: user(409, "{what} was changed by somebody else at the same time", "Repeat the command."),
  cancelled: user(499, "{what} was interrupted and undone", "Repeat the command when you are ready."),
  question_cancelled: user(499, "nothing was done", ""),
  interrupted_unanswered: user(499, "interrupted before perchd answered: what was asked for may be done, or not", "Look at what there is with: perch status. The command may be repeated."),
  interrupted: user(499, "interrupted, and perchd did not say within {seconds} s that everything is undone", "It goes on undoing by itself; look at: perch events"),
  request_invalid: usage("the request is not valid: {why}", "See docs/api.md or /openapi.json."),
  request_too_large: user(413, "the request has more than {limit} bytes", "Send less."),
  route_unknown: user(404, "there is no {method} {path}", "See docs/api.md or /openapi.json."),
  internal: system(500, "Perch failed: {why}", "Please report it with the end of perchd.log."),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof register;
