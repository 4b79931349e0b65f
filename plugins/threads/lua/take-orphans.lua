-- Take over answers whose process has not renewed its lease. One process takes each, under a lease of its own.
-- KEYS[1] leases (zset of "<tenant id>/<message id>" by expiry)
-- ARGV[1] lease in milliseconds · ARGV[2] how many
-- Returns {member, …}
-- @include lease-time
local at = lease_time()
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at), 'LIMIT', 0, ARGV[2])
for _, member in ipairs(found) do redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[1]), member) end
return found
