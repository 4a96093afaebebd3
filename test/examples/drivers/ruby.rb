# Ruby's pg: one behaviour a run, told in lines of JSON. `ruby ruby.rb BEHAVIOUR URL-PARAMETERS`
require "json"
require "pg"

def connect = PG.connect("#{ENV.fetch("DATABASE_URL")}?#{ARGV[1]}")
def value(connection, sql) = connection.exec(sql).getvalue(0, 0)
def pid_of(connection) = value(connection, "SELECT pg_backend_pid()")

def say(told)
  puts JSON.generate(told)
  $stdout.flush
end

# The SQLSTATE of the error that ends the block. Where the server has closed the connection, this pg has its message only.
def code_of
  yield
  nil
rescue PG::Error => e
  e.result&.error_field(PG::PG_DIAG_SQLSTATE) || ("57P01" if e.message.include?("due to administrator command"))
end

BEHAVIOURS = {
  "tls" => lambda do |connection|
    sql = "SELECT json_build_object('ssl', ssl, 'address', host(inet_server_addr())) FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    JSON.parse(value(connection, sql))
  end,

  "cancel" => lambda do |connection|
    pid = pid_of(connection)
    thread = Thread.new do
      other = connect
      state = "SELECT state FROM pg_stat_activity WHERE pid = #{pid} AND query = 'SELECT pg_sleep(60)'"
      nil until other.exec(state).column_values(0).first == "active"
      other.close
      connection.cancel
    end
    code = code_of { connection.exec("SELECT pg_sleep(60)") }
    thread.join
    { code: code, same: pid_of(connection) == pid }
  end,

  "copy" => lambda do |connection|
    lines = (1..10_000).map { |number| "#{number}\tword \\t ü #{number}\n" }.join
    connection.exec("CREATE TABLE copied_ruby (id int, word text)")
    connection.copy_data("COPY copied_ruby FROM STDIN") { lines.each_line { |line| connection.put_copy_data(line) } }
    out = +""
    connection.copy_data("COPY (SELECT * FROM copied_ruby ORDER BY id) TO STDOUT") do
      while (line = connection.get_copy_data)
        out << line
      end
    end
    { same: out.b == lines.b }
  end,

  "listen" => lambda do |connection|
    connection.exec("LISTEN perch")
    other = connect
    other.exec("NOTIFY perch, 'ü'")
    told = nil
    connection.wait_for_notify(10) { |_, sender, payload| told = { payload: payload, sender: sender.to_s == pid_of(other) } }
    other.close
    told
  end,

  "prepared" => lambda do |connection|
    connection.prepare("add", "SELECT $1::int + 1")
    sums = [1, 2, 3].map { |number| connection.exec_prepared("add", [number]).getvalue(0, 0).to_i }
    { sums: sums, runs: value(connection, "SELECT generic_plans + custom_plans FROM pg_prepared_statements").to_i }
  end,

  "large" => lambda do |connection|
    rows = connection.exec("SELECT repeat('x', 1024) FROM generate_series(1, 51200)")
    { bytes: rows.column_values(0).sum(&:length) }
  end,

  "many" => lambda do |connection|
    others = Array.new(99) { Thread.new { connect } }.map(&:value)
    seen = value(connection, "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')")
    others.each(&:close)
    { connections: seen.to_i }
  end,

  "idle" => lambda do |connection|
    asked, ask = IO.pipe
    trap("TERM") { ask.puts }
    before = pid_of(connection)
    say({ pid: before.to_i })
    asked.gets
    { same: pid_of(connection) == before }
  end,

  "reconnect" => lambda do |connection|
    before = pid_of(connection)
    say({ pid: before.to_i })
    code = code_of { connection.exec("SELECT pg_sleep(60)") }
    begin
      following = connect
      { code: code, other: pid_of(following) != before, replica: value(following, "SELECT pg_is_in_recovery()") == "t" }
    rescue PG::ConnectionBad
      sleep 0.02
      retry
    end
  end,
}

if ARGV[0] == "refused"
  begin
    connect
    say("connected")
  rescue PG::Error => e
    say({ message: e.message })
  end
  exit
end
main = connect
say(BEHAVIOURS.fetch(ARGV[0]).call(main))
main.close
