/**
 * postgresql.conf as Perch wants it: what a DBA would choose for this host, what a user may not change, and the text
 * of the file. Pure.
 */

/** What the settings of one server depend on. Paths as PostgreSQL sees them. */
export interface ServerFacts {
  id: string;
  major: number;
  memoryBytes: number;
  /** Size of the disk that holds the data. */
  diskBytes: number;
  listen: readonly string[];
  port: number;
  socketDirectory: string;
  logDirectory: string;
  tlsDirectory: string;
  /** Where a replica gets its WAL. */
  follow?: { connection: string; slot: string };
}

const megabyte = 1024 * 1024;
const gigabyte = 1024 * megabyte;
/** Whole megabytes as PostgreSQL reads them, between two bounds in bytes. */
const size = (bytes: number, least: number, most: number): string =>
  `${Math.round(Math.min(most, Math.max(least, bytes)) / megabyte)}MB`;

/** Several members share one machine, so each takes a small part of it only. */
export function defaultSettings(facts: ServerFacts): Record<string, string> {
  const { memoryBytes: memory, diskBytes: disk } = facts;
  return {
    cluster_name: facts.id,
    listen_addresses: facts.listen.join(","),
    port: String(facts.port),
    unix_socket_directories: facts.socketDirectory,
    unix_socket_permissions: "0700",
    max_connections: "300",
    password_encryption: "scram-sha-256",
    ssl: "on",
    ssl_cert_file: `${facts.tlsDirectory}/server.crt`,
    ssl_key_file: `${facts.tlsDirectory}/server.key`,
    ssl_min_protocol_version: "TLSv1.2",
    // A client that vanished, with its laptop or its network, is noticed within two minutes.
    tcp_keepalives_idle: "60",
    tcp_keepalives_interval: "10",
    tcp_keepalives_count: "6",
    tcp_user_timeout: "120s",

    shared_buffers: size(memory / 32, 128 * megabyte, 8 * gigabyte),
    effective_cache_size: size(memory / 4, 512 * megabyte, 256 * gigabyte),
    maintenance_work_mem: size(memory / 128, 64 * megabyte, 1 * gigabyte),
    work_mem: size(memory / 2048, 4 * megabyte, 64 * megabyte),
    random_page_cost: "1.1",

    wal_level: "replica",
    wal_log_hints: "on",
    max_wal_senders: "16",
    max_replication_slots: "16",
    max_wal_size: size(disk / 50, 256 * megabyte, 4 * gigabyte),
    // A replica that stays away longer than this is copied anew, rather than the leader's disk filled.
    max_slot_wal_keep_size: size(disk / 10, 512 * megabyte, 64 * gigabyte),
    checkpoint_timeout: "5min",
    hot_standby: "on",
    hot_standby_feedback: "off",
    wal_receiver_status_interval: "1s",
    // After a switchover a replica asks again at once, not after the 5 s of the default.
    wal_retrieve_retry_interval: "500ms",
    restart_after_crash: "on",
    ...(facts.follow === undefined
      ? {}
      : { primary_conninfo: facts.follow.connection, primary_slot_name: facts.follow.slot }),

    logging_collector: "on",
    log_destination: "jsonlog",
    log_directory: facts.logDirectory,
    // A file a day, or more when much is said; `log-bound.ts` takes the oldest away. Two that begin in the same second
    // are one file, which goes on.
    log_filename: "postgresql-%Y-%m-%d_%H%M%S.log",
    log_rotation_age: "1d",
    log_rotation_size: "16MB",
    log_truncate_on_rotation: "off",
    log_file_mode: "0600",
    log_min_duration_statement: "1s",
    // Values given to a prepared statement are the app's data; they stay out of the log.
    log_parameter_max_length: "0",
    log_lock_waits: "on",
    log_temp_files: "10MB",
    log_timezone: "UTC",
    timezone: "UTC",
    lc_messages: "C",
    // ALTER SYSTEM would change one member and be lost at the next switchover.
    ...(facts.major >= 17 ? { allow_alter_system: "off" } : {}),
  };
}

const address = "addresses and ports are the network's";
const files = "files and directories are laid out by Perch";
const logs = "perch logs reads what it says";
const bounded = "Perch keeps the log within a bound";
const certificate = "certificates come from the network's own authority";
const recovery = "who follows whom is decided by Perch";
const whole = "it is a word of configuration files, which Perch writes whole";

/** What a user may not change, and why. */
export const managedSettings: Readonly<Record<string, string>> = {
  listen_addresses: address,
  port: address,
  unix_socket_directories: files,
  unix_socket_group: files,
  unix_socket_permissions: files,
  include: whole,
  include_if_exists: whole,
  include_dir: whole,
  data_directory: files,
  config_file: files,
  hba_file: files,
  ident_file: files,
  external_pid_file: files,
  ssl: certificate,
  ssl_cert_file: certificate,
  ssl_key_file: certificate,
  ssl_ca_file: certificate,
  ssl_crl_file: certificate,
  ssl_crl_dir: certificate,
  ssl_dh_params_file: certificate,
  ssl_passphrase_command: certificate,
  ssl_passphrase_command_supports_reload: certificate,
  password_encryption: "pg_hba.conf asks for scram-sha-256",
  cluster_name: "it names the machine",
  restart_after_crash: "a crashed server is restarted in place first",
  hot_standby: "replicas are there to be read",
  primary_conninfo: recovery,
  primary_slot_name: recovery,
  promote_trigger_file: recovery,
  synchronous_standby_names: "perch postgres sync on|off sets it",
  recovery_target: recovery,
  recovery_target_action: recovery,
  recovery_target_inclusive: recovery,
  recovery_target_lsn: recovery,
  recovery_target_name: recovery,
  recovery_target_time: recovery,
  recovery_target_timeline: recovery,
  recovery_target_xid: recovery,
  allow_alter_system: "a setting holds for every member of the cluster",
  logging_collector: logs,
  log_destination: logs,
  log_directory: logs,
  log_filename: logs,
  log_file_mode: files,
  log_rotation_age: bounded,
  log_rotation_size: bounded,
  log_truncate_on_rotation: bounded,
  log_timezone: logs,
  lc_messages: logs,
};

/** The settings of one server: Perch's, and over them the user's. */
export const serverSettings = (facts: ServerFacts, user: Readonly<Record<string, string>>): Record<string, string> => {
  const allowed = Object.entries(user).filter(([name]) => !(name.toLowerCase() in managedSettings));
  const settings = { ...defaultSettings(facts), ...Object.fromEntries(allowed) };
  if (facts.major < slotSyncMajor) return settings;
  const sync = slotSync(facts.major, user);
  return { ...settings, sync_replication_slots: sync ? "on" : "off", ...(sync ? { hot_standby_feedback: "on" } : {}) };
};

const slotSyncMajor = 17;
const no = /^(off|f|false|n|no|0)$/i;

/**
 * Whether replicas keep the leader's logical slots, those that were made with failover = true. There are logical slots
 * only with wal_level = logical; and a replica keeps them only when the leader hears what its reads still need.
 */
export function slotSync(major: number, user: Readonly<Record<string, string>>): boolean {
  const of = (name: string): string => user[name] ?? "";
  return (
    major >= slotSyncMajor &&
    of("wal_level").toLowerCase() === "logical" &&
    !no.test(of("sync_replication_slots")) &&
    !no.test(of("hot_standby_feedback"))
  );
}

/** The settings with none of these lower than its floor. */
export function atLeast(
  settings: Readonly<Record<string, string>>,
  floors: Readonly<Record<string, number>>,
): Record<string, string> {
  const low = Object.entries(floors).filter(([name, floor]) => Number(settings[name] ?? 0) < floor);
  return { ...settings, ...Object.fromEntries(low.map(([name, floor]) => [name, String(floor)])) };
}

/** Lines of `name = 'value'`, escaped as PostgreSQL's own reader takes them back. */
export function configurationText(settings: Readonly<Record<string, string>>): string {
  const escapes: Record<string, string> = { "'": "''", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const quote = (value: string): string => `'${value.replace(/['\\\n\r\t]/g, (c) => escapes[c] ?? c)}'`;
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${quote(value)}\n`)
    .join("");
}
