require 'json'
require 'pg'
require 'uri'

# In the primary region the leader, elsewhere the nearest member: the same URL with port 5433
url = URI(ENV.fetch('DATABASE_URL'))
primary, current = ENV['PRIMARY_REGION'], ENV['FLY_REGION']
url.port = 5433 unless primary.nil? || current.nil? || primary == current

conn = PG.connect(url.to_s)
puts JSON.generate(conn.exec("SELECT pg_is_in_recovery()::text AS replica, host(inet_server_addr()) AS address").first)
